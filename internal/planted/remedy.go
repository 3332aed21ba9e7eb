package planted

// Bugs of what people do about dead letters, and of what tells and holds them.
const (
	// ReplayLater replays, for an operation, what died after its selection was frozen.
	ReplayLater Bug = "replay-later"
	// ForgetItem replays a dead letter without saying for which item of an operation.
	ForgetItem Bug = "forget-item"
	// SkipCanary takes up what stands behind the canary without waiting for its outcome.
	SkipCanary Bug = "skip-canary"
	// ReplayPaused goes on with operations that are paused.
	ReplayPaused Bug = "replay-paused"
	// CountSkipped counts items of operations that were skipped as succeeded.
	CountSkipped Bug = "count-skipped"
	// DryRunBegins begins an operation that was only to be planned.
	DryRunBegins Bug = "dry-run-begins"
	// AcceptTwice takes a second resolution of a dead letter.
	AcceptTwice Bug = "accept-twice"
	// AuditApart writes a change of an operation and its audit row one after the other.
	AuditApart Bug = "audit-apart"
	// BreakChain writes an audit row without the hash of the one before it.
	BreakChain Bug = "break-chain"
	// MiscountGroup counts a dead letter that was replayed as open in its group.
	MiscountGroup Bug = "miscount-group"
	// LoseEnd does not tell that alerts are over.
	LoseEnd Bug = "lose-end"
	// CallOnHold goes on at once although the server is on hold.
	CallOnHold Bug = "call-on-hold"
)
