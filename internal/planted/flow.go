package planted

// Bugs of flow control.
const (
	// FullBucket begins with a full bucket, so that a burst follows a restart.
	FullBucket Bug = "full bucket after a restart"
	// IgnoreGate lets calls through a gate that is closed.
	IgnoreGate Bug = "call through a closed gate"
	// LeakSlot does not give back the slot of a call that was not sent.
	LeakSlot Bug = "leak the slot of a call that was not sent"
	// ReleaseTwice gives the slot of a throttled call back twice.
	ReleaseTwice Bug = "give a slot back twice"
	// IgnorePause grants calls in a lane that is paused.
	IgnorePause Bug = "grant in a paused lane"
	// IgnoreConcurrency grants calls beyond the concurrency.
	IgnoreConcurrency Bug = "grant beyond the concurrency"
	// IgnoreRate does not charge the pace of a lane.
	IgnoreRate Bug = "grant beyond the rate"
	// ForgetRest does not come back to what a full queue left in the store.
	ForgetRest Bug = "forget what a full queue left in the store"
	// HalfHint waits half as long as a participant asked for.
	HalfHint Bug = "wait half of the hint"
	// TwoProbes probes a service fault with every call.
	TwoProbes Bug = "probe with every call"
)

// Bugs of fair shares and of scopes.
const (
	// CatchUp lets a flow that was parked catch up with the others in a burst.
	CatchUp Bug = "let a parked flow catch up"
	// IgnoreWeight gives every flow the same share.
	IgnoreWeight Bug = "ignore the weights"
	// SkipTenant does not ask the tenant's limit.
	SkipTenant Bug = "skip the limit of a tenant"
	// WindowFromSend lets an entry of a window expire by when its call was sent.
	WindowFromSend Bug = "charge the window at the send"
	// ForgetUnanswered counts only answered calls in a window.
	ForgetUnanswered Bug = "a window forgets calls without an answer"
	// RefillOnRestart begins with a full bucket although the reservation says otherwise.
	RefillOnRestart Bug = "refill the bucket on restart"
	// GrantUnreserved does not wait until a reservation is durable.
	GrantUnreserved Bug = "grant before the reservation is durable"
	// ForgetHold ends the entries of a crash without waiting for its calls to end.
	ForgetHold Bug = "a restart forgets the calls in flight"
	// BurstOnChange opens all the room at once that a change gives.
	BurstOnChange Bug = "let a burst follow a live change"
	// SkipOnRetry does not charge the saga type for a call granted before.
	SkipOnRetry Bug = "a retry skips a scope"
	// FreeSendNow does not charge a call that an operator sends now.
	FreeSendNow Bug = "send now without charge"
)
