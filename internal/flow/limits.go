package flow

import (
	"math"
	"time"
)

// Unlimited, as Rate.N or as Limits.Concurrency, takes the limit away. It is
// not the zero value: what is not set gets a default.
const Unlimited = -1

// Defaults of what a Limits leaves unset.
const (
	// DefaultBurst is how many calls may go at once after a quiet time.
	DefaultBurst = 2
	// DefaultForwardConcurrency bounds the calls in flight of a forward lane.
	DefaultForwardConcurrency = 256
	// DefaultCompensationConcurrency bounds those of a compensation lane.
	DefaultCompensationConcurrency = 10
	// DefaultCompensationShare divides the forward rate: a fifth, 20%.
	DefaultCompensationShare = 5
	// DefaultCompensationRate, in calls per second, is the rate of a
	// compensation lane whose service has no forward rate.
	DefaultCompensationRate = 10
)

// longest bounds burst x interval, so that a clock in Unix nanoseconds plus a
// bucket's whole depth stays inside an int64.
const longest = int64(1) << 61

// Rate is N calls per Per. The zero value is not set; N = Unlimited is no limit.
type Rate struct {
	N   int64
	Per int64 // ns; not above zero means one second
}

// PerSecond returns a rate of n calls per second.
func PerSecond(n int64) Rate { return Rate{n, int64(time.Second)} }

// Float returns the rate in calls per second, +Inf where it has no limit.
func (r Rate) Float() float64 {
	if r.N <= 0 {
		return math.Inf(1)
	}
	return float64(r.N) * float64(time.Second) / float64(r.per())
}

func (r Rate) per() int64 {
	if r.Per <= 0 {
		return int64(time.Second)
	}
	return min(r.Per, longest)
}

// interval returns the ns from one call to the next, rounded up so that the
// rate is never exceeded, and 0 where there is no limit.
func (r Rate) interval() int64 {
	if r.N <= 0 {
		return 0
	}
	return (r.per()-1)/r.N + 1
}

// Limits bound one scope. A zero field takes the default of its scope:
//
//	               rate                               concurrency  burst  window
//	forward        unlimited                          256          2      none
//	compensation   20% of the service's forward rate  10           2      none
//	               (10/s where that has none)
//	all, saga type unlimited                          unlimited    2      none
//	and tenant
type Limits struct {
	Rate        Rate
	Concurrency int // calls in flight
	Burst       int // calls that may go at once; below 1 means not set
	// Adaptive finds the rate that the service bears, at most Rate: it begins
	// low, grows with every accepted call and is cut by a 429. It finds too how
	// many calls in flight it bears, at most Concurrency, by the time that they
	// take. Defaults to false. Only a lane of a service has it, and it goes
	// without bursts.
	Adaptive bool
	// Window is the most calls that the receiver sees in any span of Window.Per
	// of its own clock; N not above zero is no window. What it remembers of them takes
	// some 32 KiB at most.
	Window Rate
	// Hold, in ns, is how long after its grant a call has surely ended: its
	// timeout and the time it takes to settle. After a crash the window's entries
	// are held for so much longer. Zero: a call ends with the process.
	Hold int64
	// Strict closes the whole lane for every hint of a 429, however short. Only
	// a lane of a service has it.
	Strict bool
	// HintCap, in ns, is the longest wait that a service can ask for. Defaults
	// to DefaultHintCap.
	HintCap int64
	// Breaker stops a lane of a service that fails. Defaults to none.
	Breaker Breaker
}

// resolved fills what is unset and maps every form of "no limit" to Unlimited.
func (l Limits) resolved(rate Rate, concurrency int) Limits {
	if l.Rate.N == 0 {
		l.Rate = rate
	}
	if l.Rate.N <= 0 {
		l.Rate = Rate{N: Unlimited}
	}
	if l.Concurrency == 0 {
		l.Concurrency = concurrency
	}
	if l.Concurrency < 0 {
		l.Concurrency = Unlimited
	}
	if l.Burst < 1 {
		l.Burst = DefaultBurst
	}
	if l.Window.N <= 0 {
		l.Window = Rate{}
	}
	l.Hold = min(max(l.Hold, 0), longest)
	return l
}

func (l Limits) shared() Limits { return l.resolved(Rate{N: Unlimited}, Unlimited) }

func (l Limits) forward() Limits {
	return l.resolved(Rate{N: Unlimited}, DefaultForwardConcurrency)
}

func (l Limits) compensation(forward Limits) Limits {
	rate := PerSecond(DefaultCompensationRate)
	if f := forward.Rate; f.N > 0 {
		rate = Rate{f.N, min(f.per(), longest/DefaultCompensationShare) * DefaultCompensationShare}
	}
	return l.resolved(rate, DefaultCompensationConcurrency)
}
