package participant_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/participant"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestParseCallReadsTheKeyFromBothEnds(t *testing.T) {
	for key, want := range map[string]participant.Call{
		"s1/charge/action":         {Saga: "s1", Step: "charge", Direction: participant.Action},
		"s1/charge/compensation":   {Saga: "s1", Step: "charge", Direction: participant.Compensation},
		"s1/charge/compensation/2": {Saga: "s1", Step: "charge", Direction: participant.Compensation, Generation: 2},
		"s1/a/b/action/3":          {Saga: "s1", Step: "a/b", Direction: participant.Action, Generation: 3},
		"s1/action/action":         {Saga: "s1", Step: "action", Direction: participant.Action},
	} {
		got, err := participant.ParseCall(header(participant.HeaderKey, key), nil)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if got.Key != key || got.Saga != want.Saga || got.Step != want.Step || got.Direction != want.Direction ||
			got.Generation != want.Generation || got.Attempt != 1 {
			t.Errorf("%s: got %+v", key, got)
		}
	}
}

func TestParseCallRefusesWhatItCannotRead(t *testing.T) {
	const key = "s1/charge/action"
	for name, test := range map[string]struct {
		header http.Header
		body   string
		want   string
	}{
		"no key":            {header(), ``, "Idempotency-Key is missing"},
		"a word":            {header(participant.HeaderKey, "hello"), ``, "want <saga>/<step>"},
		"no step":           {header(participant.HeaderKey, "s1//action"), ``, "want <saga>/<step>"},
		"no saga":           {header(participant.HeaderKey, "/charge/action"), ``, "want <saga>/<step>"},
		"another direction": {header(participant.HeaderKey, "s1/charge/undo"), ``, "want <saga>/<step>"},
		"generation 0":      {header(participant.HeaderKey, key+"/0"), ``, "want <saga>/<step>"},
		"generation 01":     {header(participant.HeaderKey, key+"/01"), ``, "want <saga>/<step>"},
		"only a number":     {header(participant.HeaderKey, "s1/2"), ``, "want <saga>/<step>"},
		"long":              {header(participant.HeaderKey, strings.Repeat("s", 2000)+"/charge/action"), ``, "at most 1024"},
		"other saga":        {header(participant.HeaderKey, key, participant.HeaderSaga, "s2"), ``, `Unwind-Saga is "s2"`},
		"other step":        {header(participant.HeaderKey, key, participant.HeaderStep, "ship"), ``, `Unwind-Step is "ship"`},
		"other direction":   {header(participant.HeaderKey, key, participant.HeaderDirection, "compensation"), ``, `Unwind-Direction is`},
		"attempt 0":         {header(participant.HeaderKey, key, participant.HeaderAttempt, "0"), ``, "whole number from 1"},
		"attempt word":      {header(participant.HeaderKey, key, participant.HeaderAttempt, "two"), ``, "whole number from 1"},
		"not JSON":          {header(participant.HeaderKey, key), `{"a":`, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := participant.ParseCall(test.header, []byte(test.body))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestParseCallReadsTheStandardBody(t *testing.T) {
	action, err := participant.ParseCall(header(participant.HeaderKey, "s1/charge/action", participant.HeaderAttempt, "3"),
		[]byte(`{"saga":{"id":"s1","name":"place-order","key":"ORD-1"},"input":{"cents":12345678901234567890},"outputs":{"reserve":{"id":"r1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var reservation struct{ ID string }
	if err := action.DecodeOutput("reserve", &reservation); err != nil || reservation.ID != "r1" {
		t.Errorf("output of reserve: %+v, %v", reservation, err)
	}
	if action.Attempt != 3 || action.SagaName != "place-order" || action.SagaKey != "ORD-1" || string(action.Input) != `{"cents":12345678901234567890}` {
		t.Errorf("got %+v", action)
	}
	undo, err := participant.ParseCall(header(participant.HeaderKey, "s1/charge/compensation"),
		[]byte(`{"saga":{"id":"s1"},"input":1,"output":null,"may_have_executed":true}`))
	if err != nil || !undo.MayHaveExecuted || string(undo.Output) != "null" {
		t.Errorf("got %+v, %v", undo, err)
	}
	var n int
	if err := undo.DecodeInput(&n); err != nil || n != 1 {
		t.Errorf("input %d, %v", n, err)
	}
}

func TestParseCallLeavesABodyFromATemplateAlone(t *testing.T) {
	for _, body := range []string{`{"order":"ORD-1","input":5}`, `[1,2]`, `"text"`, `{"saga":"mine"}`, `{"saga":{"id":"another"},"input":1}`} {
		call, err := participant.ParseCall(header(participant.HeaderKey, "s1/ship/action"), []byte(body))
		if err != nil || string(call.Body) != body || call.Input != nil {
			t.Errorf("%s: got %+v, %v", body, call, err)
		}
		if err := call.DecodeInput(new(any)); err == nil {
			t.Errorf("%s: an input was found", body)
		}
	}
}

func FuzzParseCall(f *testing.F) {
	f.Add("s1/charge/action", "s1", "1", `{"saga":{"id":"s1"},"input":{}}`)
	f.Add("s1/a/b/compensation/7", "", "", `null`)
	f.Fuzz(func(t *testing.T, key, saga, attempt, body string) {
		h := http.Header{participant.HeaderKey: {key}, participant.HeaderSaga: {saga}, participant.HeaderAttempt: {attempt}}
		call, err := participant.ParseCall(h, []byte(body))
		if err != nil {
			return
		}
		if call.Saga == "" || call.Step == "" || call.Attempt < 1 || !strings.HasPrefix(key, call.Saga+"/"+call.Step+"/"+string(call.Direction)) {
			t.Errorf("%q gave %+v", key, call)
		}
	})
}
