package machine

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// What decodes is a state: it encodes to a row that decodes to the same.
func FuzzDecodeState(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(AppendState(nil, &s))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		s, err := DecodeState(row)
		if err != nil {
			return
		}
		again, err := DecodeState(AppendState(nil, &s))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%+v came back as %+v, %v", s, again, err)
		}
		Outstanding(&s, nil)
	})
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add(AppendEntries(nil, []Entry{{Kind: "saga_started", At: begin, Step: -1}, {Kind: "x", Message: "\"", Output: json.RawMessage(`{"a":[1.50,null]}`)}}))
	f.Fuzz(func(t *testing.T, row []byte) {
		entries, err := DecodeEntries(row)
		if err != nil {
			return
		}
		again, err := DecodeEntries(AppendEntries(nil, entries))
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%s came back as %+v, %v", row, again, err)
		}
		for i := range entries {
			if !reflect.DeepEqual(entries[i], again[i]) {
				t.Errorf("%+v came back as %+v", entries[i], again[i])
			}
		}
	})
}

// A template that is JSON gives a body that is JSON, whatever the input holds.
func FuzzBodyTemplate(f *testing.F) {
	f.Add(`{"a":"${input.amount}","b":"pay ${input.text} ${outputs.a.id}"}`, `{"amount":12345678901234567890.10,"text":"\u2028"}`)
	f.Add(`{"${saga.id}":["${input}"]}`, `[1,{"x":null}]`)
	f.Fuzz(func(t *testing.T, template, input string) {
		p, facts := bodyPlan(t, "")
		p.Steps[2].Action.Call.Body = json.RawMessage(template)
		facts.Input = json.RawMessage(input)
		body := Body(p, facts, &State{Steps: make([]Step, 4)}, 2, unwind.Action)
		if json.Valid([]byte(template)) && json.Valid([]byte(input)) && !json.Valid(body) {
			t.Errorf("template %s with input %s gives %s", template, input, body)
		}
	})
}

// Numbers come through as they were written.
func FuzzBodyNumbers(f *testing.F) {
	f.Add("12345678901234567890.10")
	f.Add("-0.0e-7")
	f.Fuzz(func(t *testing.T, number string) {
		if !json.Valid([]byte(number)) || strings.ContainsAny(number, "\"[{tfn \t\r\n") {
			return
		}
		p, facts := bodyPlan(t, `["${input.n}","${input.n}."]`)
		facts.Input = json.RawMessage(`{"n":` + number + `}`)
		if got := string(Body(p, facts, &State{}, 2, unwind.Action)); got != "["+number+`,"`+number+`."]` {
			t.Errorf("%s came through as %s", number, got)
		}
	})
}

// An answer is done, accepted, final or to be asked again; what is no proof stays
// no proof.
func FuzzJudge(f *testing.F) {
	f.Add(409, uint8(0), uint8(0), true, false)
	f.Fuzz(func(t *testing.T, status int, outcome, fault uint8, async, uncertainBefore bool) {
		a := Answer{Status: status, Outcome: Outcome(outcome % 4), Fault: Fault(fault % 7)}
		v := judge(a, async, uncertainBefore)
		switch {
		case v.done && (v.final || v.awaiting || v.class != ""),
			v.awaiting && (!async || status != 202 || v.class != ""),
			!v.done && !v.awaiting && v.class == "",
			v.final && (v.executed || !v.counted),
			v.class == unwind.ClassThrottled && v.counted,
			v.class == unwind.ClassUncertain && !v.executed,
			uncertainBefore && a.Outcome == NoOutcome && a.Fault == NoFault && status == 409 && v.final:
			t.Errorf("%+v, async %v, uncertain before %v is judged %+v", a, async, uncertainBefore, v)
		}
		if first := judge(a, async, false); !uncertainBefore && first != v {
			t.Errorf("%+v is judged %+v and %+v", a, first, v)
		}
	})
}
