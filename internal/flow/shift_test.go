package flow

import (
	"reflect"
	"testing"
)

func TestShiftMovesEveryTime(t *testing.T) {
	written := func(by int64) Reservation {
		return Reservation{
			Scope: Scope{Kind: ScopeCompensation, Name: "payments"}, Until: 100 + by, Window: []Held{{50 + by, 2}, {70 + by, 1}},
			Target: TargetState{GateUntil: 80 + by, GateReason: "503", Breaker: BreakerRecord{Open: true, Until: 90 + by, Opens: 2, Good: 5}.Append(nil)},
		}
	}
	r := written(0)
	r.Shift(1000)
	if want := written(1000); !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v, want %+v", r, want)
	}
	none := Reservation{Scope: r.Scope}
	none.Shift(1000)
	if !reflect.DeepEqual(none, Reservation{Scope: r.Scope}) {
		t.Errorf("what says nothing says %+v", none)
	}
}
