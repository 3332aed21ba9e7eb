package planted

// Bugs of flow control.
const (
	// FullBucket begins with a full bucket, so that a burst follows a restart.
	FullBucket Bug = "full-bucket"
	// IgnoreGate lets calls through a gate that is closed.
	IgnoreGate Bug = "ignore-gate"
	// LeakSlot does not give back the slot of a call that was not sent.
	LeakSlot Bug = "leak-slot"
	// ReleaseTwice gives the slot of a throttled call back twice.
	ReleaseTwice Bug = "release-twice"
	// IgnorePause grants calls in a lane that is paused.
	IgnorePause Bug = "ignore-pause"
	// IgnoreConcurrency grants calls beyond the concurrency.
	IgnoreConcurrency Bug = "ignore-concurrency"
	// IgnoreRate does not charge the pace of a lane.
	IgnoreRate Bug = "ignore-rate"
	// ForgetRest does not come back to what a full queue left in the store.
	ForgetRest Bug = "forget-rest"
	// HalfHint waits half as long as a participant asked for.
	HalfHint Bug = "half-hint"
	// TwoProbes probes a service fault with every call.
	TwoProbes Bug = "two-probes"
	// CutAlways cuts the adaptive rate on every 429, also of calls sent before the last cut.
	CutAlways Bug = "cut-always"
	// CutForever does not let the adaptive rate grow again after a cut.
	CutForever Bug = "cut-forever"
	// ForgetRate looks for the adaptive rate anew after a restart.
	ForgetRate Bug = "forget-rate"
	// Careless searches for the rate of a service with little to give as for any other's.
	Careless Bug = "careless"
	// CutInVain cuts the adaptive rate again and again where that helps nothing.
	CutInVain Bug = "cut-in-vain"
	// FallMeasured takes what a service bore during a fall for a part of what it bears after it.
	FallMeasured Bug = "fall-measured"
	// IgnoreCrowd leaves the concurrency of an adaptive lane where it is, however slow its calls get.
	IgnoreCrowd Bug = "ignore-crowd"
	// EndlessProbe waits for ever for a probe that was not answered.
	EndlessProbe Bug = "endless-probe"
	// BreakerCounts429 opens a breaker for calls that were throttled.
	BreakerCounts429 Bug = "breaker-counts-429"
	// ThrottledProbeFails takes a probe that was throttled for one that failed.
	ThrottledProbeFails Bug = "throttled-probe-fails"
	// SkipRamp goes on at the full rate when a breaker closes.
	SkipRamp Bug = "skip-ramp"
	// ForgetBreaker begins with a closed breaker after a restart.
	ForgetBreaker Bug = "forget-breaker"
	// IgnoreOpen lets calls through a breaker that an operator holds open.
	IgnoreOpen Bug = "ignore-open"
	// LateCloses believes answers to calls that were sent before a breaker opened.
	LateCloses Bug = "late-closes"
	// GateOneFlow closes a gate for one call alone, while others wait.
	GateOneFlow Bug = "gate-one-flow"
	// HintUncapped waits for as long as a participant asks.
	HintUncapped Bug = "hint-uncapped"
	// IgnoreQuota does not slow down for what RateLimit headers say.
	IgnoreQuota Bug = "ignore-quota"
)

// Bugs of fair shares and of scopes.
const (
	// CatchUp lets a flow that was parked catch up with the others in a burst.
	CatchUp Bug = "catch-up"
	// IgnoreWeight gives every flow the same share.
	IgnoreWeight Bug = "ignore-weight"
	// SkipTenant does not ask the tenant's limit.
	SkipTenant Bug = "skip-tenant"
	// WindowFromSend lets an entry of a window expire by when its call was sent.
	WindowFromSend Bug = "window-from-send"
	// ForgetUnanswered counts only answered calls in a window.
	ForgetUnanswered Bug = "forget-unanswered"
	// RefillOnRestart begins with a full bucket although the reservation says otherwise.
	RefillOnRestart Bug = "refill-on-restart"
	// GrantUnreserved does not wait until a reservation is durable.
	GrantUnreserved Bug = "grant-unreserved"
	// ForgetHold ends the entries of a crash without waiting for its calls to end.
	ForgetHold Bug = "forget-hold"
	// BurstOnChange opens all the room at once that a change gives.
	BurstOnChange Bug = "burst-on-change"
	// ForgetLonger takes for free what a longer window does not remember.
	ForgetLonger Bug = "forget-longer"
	// SkipOnRetry does not charge the saga type for a call granted before.
	SkipOnRetry Bug = "skip-on-retry"
	// FreeSendNow does not charge a call that an operator sends now.
	FreeSendNow Bug = "free-send-now"
)
