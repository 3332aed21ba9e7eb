package planted

// Bugs of one node's decisions.
const (
	// AckBeforeCommit answers a start before it is durable.
	AckBeforeCommit Bug = "acknowledge before the commit"
	// CallBeforeCommit makes calls before their order is durable.
	CallBeforeCommit Bug = "call before the commit"
	// ForgetOnConflict keeps a state that was not written.
	ForgetOnConflict Bug = "keep the state of a refused transition"
	// ForgetTasksOnRestart leaves the stored compensations alone after a restart.
	ForgetTasksOnRestart Bug = "forget queued compensations on restart"
	// ForgetOrdersOnRestart does not order actions again after a restart.
	ForgetOrdersOnRestart Bug = "forget ordered actions on restart"
	// ResendAfterTurn sends a lost action again although the saga has turned back.
	ResendAfterTurn Bug = "send the ordered action again after the turn"
	// TrustFirstSend believes that what was ordered before a crash never left.
	TrustFirstSend Bug = "treat a repeated send as the first"
	// WithdrawSent says of an action in flight that it was never sent.
	WithdrawSent Bug = "withdraw an action that is in flight"
	// LoseTimers does not set timers again after a saga is read.
	LoseTimers Bug = "lose the timers of a saga that was read"
	// DropBatchOnError forgets acknowledged transitions when a commit fails.
	DropBatchOnError Bug = "forget transitions when a commit fails"
	// ParkActive lets go of a saga that is due before the next read.
	ParkActive Bug = "let go of a saga that nobody will read"
	// NoAlert opens a dead letter without its alert.
	NoAlert Bug = "dead letter without its alert"
	// GiveUpInFlight gives a compensation up while its call is in flight.
	GiveUpInFlight Bug = "give up a compensation that is in flight"
	// KeepTask leaves the row of a finished compensation in its queue.
	KeepTask Bug = "leave a finished compensation in its queue"
	// KeepSuccessors commits what was decided on a state that was refused.
	KeepSuccessors Bug = "commit the successors of a refused transition"
	// TrustStaleClaim takes a saga into memory that has moved on since it was read.
	TrustStaleClaim Bug = "adopt a saga that has moved on"
	// TrustOldKey sends what an earlier process may have sent under a key that has run out.
	TrustOldKey Bug = "send a lost call under a key that has run out"
	// TrustLease calls without asking whether another has taken over meanwhile.
	TrustLease Bug = "call somebody after a long sleep"
	// StartTwice begins a second saga for a key that began one.
	StartTwice Bug = "start a key twice"
)
