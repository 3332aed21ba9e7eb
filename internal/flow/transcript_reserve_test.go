package flow

import (
	"fmt"
	"testing"
)

// reserve plays a store beside the scheduler.
func (p *player) reserve(t *testing.T, command string) (out string) {
	t.Helper()
	switch command {
	case "durable", "crash":
		p.s, p.asked = New(Config{CompensationHeads: 64, Durable: true}), nil
	case "reservations":
		p.asked = p.s.Reservations(p.now, nil)
		for i := range p.asked {
			r := &p.asked[i]
			out += r.Scope.String()
			if r.Until != 0 {
				out += ", pace " + p.time(r.Until)
			}
			for _, h := range r.Window {
				out += fmt.Sprintf(", %d held until %s", h.N, p.time(h.Until))
			}
			out += "\n"
		}
		if out == "" {
			out = "none\n"
		}
	case "reserved":
		if p.stored == nil {
			p.stored = map[Scope][]byte{}
		}
		for i := range p.asked {
			p.stored[p.asked[i].Scope] = AppendReservation(nil, &p.asked[i])
		}
		p.s.Reserved(p.asked, true, p.now)
	case "failed":
		p.s.Reserved(p.asked, false, p.now)
	case "restore":
		scope := Target{"payments", Compensation}.Scope()
		if body, ok := p.stored[scope]; ok {
			r, err := DecodeReservation(scope, body)
			if err != nil {
				t.Fatal(err)
			}
			p.s.Restore([]Reservation{r}, p.now)
		}
	}
	return out
}
