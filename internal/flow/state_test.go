package flow

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestReservationsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Reservation{Scope: Target{"payments", Compensation}.Scope(), Until: rapid.Int64().Draw(t, "until")}
		if rapid.Bool().Draw(t, "window") {
			r.Window = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Held {
				return Held{rapid.Int64().Draw(t, "until"), rapid.IntRange(0, math.MaxInt32).Draw(t, "n")}
			}), 0, 5).Draw(t, "held")
		}
		r.Target.GateUntil = rapid.Int64().Draw(t, "gate")
		if r.Target.GateUntil != 0 {
			r.Target.GateReason = rapid.String().Draw(t, "reason")
		}
		if b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"); len(b) > 0 {
			r.Target.Breaker, r.Target.Adaptive = b, b
		}
		got, err := DecodeReservation(r.Scope, AppendReservation(nil, &r))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("%+v, %v; want %+v", got, err, r)
		}
	})
}

func TestReservationsOfAnotherVersionAreRefused(t *testing.T) {
	for _, data := range [][]byte{nil, {0}, {2}, {1, 1}, {1, 1, 9, 0}, {1, 2, 1, 200}, {1, 2, 2, 1, 2}} {
		if r, err := DecodeReservation(Scope{}, data); !errors.Is(err, ErrReservation) {
			t.Errorf("% x was read as %+v, %v", data, r, err)
		}
	}
	if _, err := DecodeReservation(Scope{}, []byte{1, 99, 1, 7}); err != nil {
		t.Errorf("a section of a later release is not passed over: %v", err)
	}
}

func FuzzDecodeReservation(f *testing.F) {
	f.Add(AppendReservation(nil, &Reservation{Until: 5, Window: []Held{{7, 1}, {9, 2}}, Target: TargetState{GateUntil: 3, GateReason: "503"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeReservation(Scope{}, data)
		if err != nil {
			return
		}
		again, err := DecodeReservation(Scope{}, AppendReservation(nil, &r))
		if err != nil || !reflect.DeepEqual(again.Window, r.Window) || again.Until != r.Until {
			t.Fatalf("%+v, then %+v, %v", r, again, err)
		}
	})
}
