// Package planted holds the switches of bugs that tests plant on purpose, to
// prove that the checker, the simulator and the property tests can fail.
//
// In an ordinary build [On] is the constant false, so that no planted bug exists
// in the binary. With the build tag "planted" a test may turn one on.
package planted

// A Bug is one planted bug.
type Bug string

// The bugs of the machine.
const (
	// CompensateForwards undoes the first step first.
	CompensateForwards Bug = "compensate-forwards"
	// NewKeyOnRetry gives every attempt a key of its own.
	NewKeyOnRetry Bug = "new-key-on-retry"
	// CountThrottled lets a 429 count as an attempt.
	CountThrottled Bug = "count-throttled"
	// SkipSettle undoes an uncertain action without waiting for it to settle.
	SkipSettle Bug = "skip-settle"
	// TrustLateRefusal takes a 409 after an uncertain attempt for a refusal.
	TrustLateRefusal Bug = "trust-late-refusal"
	// ForgetUncertain does not mark an action whose call timed out.
	ForgetUncertain Bug = "forget-uncertain"
	// ActionAfterTurn retries an action of a saga that has turned back.
	ActionAfterTurn Bug = "action-after-turn"
	// EndEarly ends the saga while a compensation is queued.
	EndEarly Bug = "end-early"
	// ShortBackoff waits half as long as the policy says.
	ShortBackoff Bug = "short-backoff"
	// ExtraAttempt makes one attempt more than the policy allows.
	ExtraAttempt Bug = "extra-attempt"
	// HideUncertain tells no compensation that its action may have executed.
	HideUncertain Bug = "hide-uncertain"
	// ChangingBody sends another body with each attempt.
	ChangingBody Bug = "changing-body"
	// PivotTurnsBack turns back when nobody knows what became of the pivot.
	PivotTurnsBack Bug = "pivot-turns-back"
	// CancelPastPivot lets a cancel through when there is only forward.
	CancelPastPivot Bug = "cancel-past-pivot"
	// ResolveUnaudited settles a dead letter without an entry.
	ResolveUnaudited Bug = "resolve-unaudited"
	// ReplayNewKey replays under a new key that nobody asked for.
	ReplayNewKey Bug = "replay-new-key"
	// TakeStaleAnswer takes any answer for the one that is waited for.
	TakeStaleAnswer Bug = "take-stale-answer"
	// AcceptedIsDone counts an accepted asynchronous compensation as done.
	AcceptedIsDone Bug = "accepted-is-done"
	// LostIsWithdrawn takes an action that may have left for one that did not.
	LostIsWithdrawn Bug = "lost-is-withdrawn"
	// BlockContinues undoes the rest although the definition says block.
	BlockContinues Bug = "block-continues"
	// EarlyTimer fires a delay as soon as anybody looks at it.
	EarlyTimer Bug = "early-timer"
	// ForgetGiveUp arms no timer for a compensation that is never answered.
	ForgetGiveUp Bug = "forget-give-up"
	// LoseOrder forgets after a restart the compensations that were ordered.
	LoseOrder Bug = "lose-order"
	// AskUnsettled asks the status path while what was sent may still be on its way.
	AskUnsettled Bug = "ask-unsettled"
	// UseKeyToTheEnd sends a call that may come in after its key was forgotten.
	UseKeyToTheEnd Bug = "use-key-to-the-end"
	// RoundNumbers passes numbers through a float64.
	RoundNumbers Bug = "round-numbers"
)

// The bugs of the store in SQLite.
const (
	// DropFence lets a writer through whose epoch is not current.
	DropFence Bug = "drop-fence"
	// SkipVersionCheck writes a transition wherever its saga stands.
	SkipVersionCheck Bug = "skip-version-check"
	// SkipFsync does not wait for the disk.
	SkipFsync Bug = "skip-fsync"
	// AcknowledgeEarly answers a batch before it is committed.
	AcknowledgeEarly Bug = "acknowledge-early"
)
