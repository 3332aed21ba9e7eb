package planted

// Bugs of one node's decisions.
const (
	// AckBeforeCommit answers a start before it is durable.
	AckBeforeCommit Bug = "ack-before-commit"
	// CallBeforeCommit makes calls before their order is durable.
	CallBeforeCommit Bug = "call-before-commit"
	// ForgetOnConflict keeps a state that was not written.
	ForgetOnConflict Bug = "forget-on-conflict"
	// ForgetTasksOnRestart leaves the stored compensations alone after a restart.
	ForgetTasksOnRestart Bug = "forget-tasks-on-restart"
	// ForgetOrdersOnRestart does not order actions again after a restart.
	ForgetOrdersOnRestart Bug = "forget-orders-on-restart"
	// ResendAfterTurn sends a lost action again although the saga has turned back.
	ResendAfterTurn Bug = "resend-after-turn"
	// TrustFirstSend believes that what was ordered before a crash never left.
	TrustFirstSend Bug = "trust-first-send"
	// WithdrawSent says of an action in flight that it was never sent.
	WithdrawSent Bug = "withdraw-sent"
	// LoseTimers does not set timers again after a saga is read.
	LoseTimers Bug = "lose-timers"
	// DropBatchOnError forgets acknowledged transitions when a commit fails.
	DropBatchOnError Bug = "drop-batch-on-error"
	// ParkActive lets go of a saga that is due before the next read.
	ParkActive Bug = "park-active"
	// NoAlert opens a dead letter without its alert.
	NoAlert Bug = "no-alert"
	// GiveUpInFlight gives a compensation up while its call is in flight.
	GiveUpInFlight Bug = "give-up-in-flight"
	// KeepTask leaves the row of a finished compensation in its queue.
	KeepTask Bug = "keep-task"
	// KeepSuccessors commits what was decided on a state that was refused.
	KeepSuccessors Bug = "keep-successors"
	// TrustStaleClaim takes a saga into memory that has moved on since it was read.
	TrustStaleClaim Bug = "trust-stale-claim"
	// TrustOldKey sends what an earlier process may have sent under a key that has run out.
	TrustOldKey Bug = "trust-old-key"
	// TrustLease calls without asking whether another has taken over meanwhile.
	TrustLease Bug = "trust-lease"
	// SendUnwritten sends an order now that is not durable yet.
	SendUnwritten Bug = "send-unwritten"
	// ForgetHaste leaves the time of an order as it was that an operator has sent ahead of it.
	ForgetHaste Bug = "forget-haste"
	// SendUnsettled sends a compensation now although its action may still take effect.
	SendUnsettled Bug = "send-unsettled"
	// BeginRefused writes, as soon as that can be, a start that was refused.
	BeginRefused Bug = "begin-refused"
	// IgnoreBacklog begins sagas whose undo would be late.
	IgnoreBacklog Bug = "ignore-backlog"
	// HoldActionsAlone sends the first calls of a saga that begins with a delay or a signal while it is to be held.
	HoldActionsAlone Bug = "hold-actions-alone"
	// ForgetHeld does not go on with held sagas when their lanes are in time again.
	ForgetHeld Bug = "forget-held"
	// KeepLate takes compensations for late that are done.
	KeepLate Bug = "keep-late"
	// WaitForLater leaves limits out of force while later ones are being written.
	WaitForLater Bug = "wait-for-later"
	// EndNever leaves in force what was set for a while.
	EndNever Bug = "end-never"
	// LoseControl forgets what operators have set when a commit fails.
	LoseControl Bug = "lose-control"
	// ForgetPause lets paused scopes go on after a restart.
	ForgetPause Bug = "forget-pause"
	// BrokenHasEnded takes a call whose connection broke for one that has come in.
	BrokenHasEnded Bug = "broken-has-ended"
	// HoldLanesAlone holds after a restart no window but those of services' lanes.
	HoldLanesAlone Bug = "hold-lanes-alone"
	// StartTwice begins a second saga for a key that began one.
	StartTwice Bug = "start-twice"
)
