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
)
