package participant

import (
	"encoding/json"
	"testing"
)

func TestDecide(t *testing.T) {
	call := func(d Direction, generation int) Call {
		return Call{Key: "k", Saga: "s", Step: "x", Direction: d, Generation: generation, Body: json.RawMessage(`1`)}
	}
	sha := call(Action, 0).digest()
	row := func(d Direction, generation int, outcome, answer string) record {
		return record{d, generation, outcome, sha, answer}
	}
	lock := record{direction: Action, outcome: open}
	known := call(Compensation, 0)
	known.Output = json.RawMessage(` {"id":1} `)
	nullOutput := call(Compensation, 0)
	nullOutput.Output = json.RawMessage(` null `)
	otherBody := call(Action, 0)
	otherBody.Body = json.RawMessage(`2`)

	for name, test := range map[string]struct {
		records []record
		call    Call
		want    string // execute, execute <recorded>, empty, output <…>, or the error's code
	}{
		"the first action":                          {[]record{lock}, call(Action, 0), "execute"},
		"the action again":                          {[]record{row(Action, 0, done, `7`)}, call(Action, 0), "output 7"},
		"the action again, compensated since":       {[]record{row(Action, 0, done, `7`), row(Compensation, 0, done, `null`)}, call(Action, 0), "output 7"},
		"a refused action again":                    {[]record{row(Action, 0, refused, `no`)}, call(Action, 0), "refused"},
		"an invalid action again":                   {[]record{row(Action, 0, invalid, `no`)}, call(Action, 0), "invalid"},
		"the key with another body":                 {[]record{row(Action, 0, done, `7`)}, otherBody, "key-reused"},
		"an action after its compensation":          {[]record{row(Action, 0, blocked, ``), row(Compensation, 0, empty, `null`)}, call(Action, 0), "already-compensated"},
		"a new key after the compensation":          {[]record{row(Action, 0, done, `7`), row(Compensation, 0, done, `null`)}, call(Action, 1), "already-compensated"},
		"a refused action under a new key":          {[]record{row(Action, 0, refused, `no`)}, call(Action, 1), "execute"},
		"an old key after a new one":                {[]record{lock, row(Action, 1, done, `7`)}, call(Action, 0), "superseded"},
		"a compensation":                            {[]record{row(Action, 0, done, `7`)}, call(Compensation, 0), "execute 7"},
		"a compensation of the latest action":       {[]record{row(Action, 0, done, `7`), row(Action, 2, done, `8`)}, call(Compensation, 0), "execute 8"},
		"the compensation again":                    {[]record{row(Action, 0, done, `7`), row(Compensation, 0, done, `9`)}, call(Compensation, 0), "output 9"},
		"a compensation under a new key":            {[]record{row(Action, 0, done, `7`), row(Compensation, 0, done, `9`)}, call(Compensation, 1), "execute 7"},
		"an old compensation after a new one":       {[]record{row(Action, 0, done, `7`), row(Compensation, 1, done, `9`)}, call(Compensation, 0), "superseded"},
		"a compensation without its action":         {[]record{lock}, call(Compensation, 0), "empty"},
		"an empty compensation again":               {[]record{row(Action, 0, blocked, ``), row(Compensation, 0, empty, `null`)}, call(Compensation, 0), "output null"},
		"a compensation of a refused action":        {[]record{row(Action, 0, refused, `no`)}, call(Compensation, 0), "empty"},
		"a known output without a record":           {[]record{lock}, known, "record-missing"},
		"a null output without a record":            {[]record{lock}, nullOutput, "empty"},
		"a known output of an action on the record": {[]record{row(Action, 0, done, `7`)}, known, "execute 7"},
	} {
		t.Run(name, func(t *testing.T) {
			v := decide(test.records, test.call)
			var got string
			switch {
			case v.err != nil:
				got = string(v.err.Code)
			case v.execute && v.recorded != nil:
				got = "execute " + string(v.recorded)
			case v.execute:
				got = "execute"
			case v.empty:
				got = "empty"
			default:
				got = "output " + string(v.output)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
