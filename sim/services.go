package sim

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A kind is how a service keeps its books.
type kind struct {
	name string
	unwind.Participant
	// barrier: it refuses actions that come after their compensation, as package
	// participant does. Without one it knows its keys and no more.
	barrier bool
	// stern: it answers 409 to the duplicate of a call that it has carried out.
	stern bool
}

const ms = unwind.Millisecond

// kinds are the services that definitions call. The last is the Go functions of
// the engine's own process. The first [strict] may be called by processes that
// were paused for long.
var kinds = [...]kind{
	{name: "stock", barrier: true, Participant: unwind.Participant{Timeout: 200 * ms}},
	{name: "mail", barrier: true, Participant: unwind.Participant{Timeout: 60 * ms, Settle: 250 * ms}},
	{name: "slow", barrier: true, Participant: unwind.Participant{Timeout: 900 * ms}},
	{name: "bank", barrier: true, Participant: unwind.Participant{Timeout: 250 * ms, Status: "/status"}},
	{name: "vault", barrier: true, Participant: unwind.Participant{Timeout: 150 * ms, Status: "/status", KeyLifetime: 600 * ms}},
	{name: "plain", Participant: unwind.Participant{Timeout: 120 * ms, Settle: 300 * ms}},
	{name: "stern", stern: true, Participant: unwind.Participant{Timeout: 180 * ms}},
	{name: "brief", Participant: unwind.Participant{Timeout: 150 * ms, KeyLifetime: 500 * ms}},
	{name: "clerk", Participant: unwind.Participant{Timeout: 200 * ms, Settle: 400 * ms, Status: "/status"}},
	{name: "ledger", Participant: unwind.Participant{Timeout: 200 * ms, Status: "/status", KeyLifetime: 450 * ms}},
	{name: "", Participant: unwind.Participant{Timeout: 100 * ms}},
}

const strict = 3

const services = len(kinds)

// declared are the participants as the engine knows them.
var declared = func() map[string]unwind.Participant {
	m := map[string]unwind.Participant{}
	for _, k := range kinds[:services-1] {
		k.URL = "http://" + k.name
		m[k.name] = k.Participant
	}
	return m
}()

func serviceIndex(name string) int {
	for i := range kinds {
		if kinds[i].name == name {
			return i
		}
	}
	panic("sim: no service " + name)
}

// settle is how long a call to the service may take effect after it was sent.
func (k *kind) settle() int64 {
	if k.Settle != 0 {
		return int64(k.Settle / 1000)
	}
	return int64(k.Timeout / 1000)
}

// judged are the services as the history is judged by them.
func judged(limits *[services]lanes, concurrency bool) map[string]history.Service {
	m := make(map[string]history.Service, services)
	for i := range kinds {
		s := history.Service{Participant: kinds[i].Participant}
		if i < services-1 {
			s.Forward, s.Compensation = limits[i].forward, limits[i].compensation
			if !concurrency {
				s.Forward.Concurrency, s.Compensation.Concurrency = 0, 0
			}
		}
		m[kinds[i].name] = s
	}
	return m
}
