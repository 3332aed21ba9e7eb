package machine

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// samples are states of every kind, as random sagas reach them.
func samples(t testing.TB) (states []State) {
	t.Helper()
	for seed := range uint64(20) {
		w, err := runSeed(seed)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, w.state)
	}
	full := State{Version: 1 << 60, Phase: DeadLettered, CreatedAt: begin, UpdatedAt: begin - 5, DeadlineAt: begin, DeadlinePassed: true, Cancelling: true, Steps: make([]Step, unwind.MaxSteps)}
	for i := range full.Steps {
		side := Side{true, true, true, true, 1, 2, 3, 4, 5, 1<<32 - 1, begin, begin + 1, begin - 1, 1}
		full.Steps[i] = Step{StepSkipped, CompResolved, true, begin, 0, side, side}
	}
	return append(states, full)
}

func TestStatesComeBackFromTheStoreAsTheyWere(t *testing.T) {
	for _, s := range samples(t) {
		got, err := DecodeState(AppendState([]byte{}, &s))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%+v came back as %+v, %v", s, got, err)
		}
	}
}

func TestDecodeStateRefusesDamagedRows(t *testing.T) {
	row := AppendState(nil, &State{CreatedAt: begin, Steps: make([]Step, 1)})
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), row...)
		b[at] = to
		return b
	}
	steps := len(row) - 7 // the number of steps, then the step's seven bytes
	for name, test := range map[string]struct {
		row  []byte
		want string
	}{
		"nothing":           {nil, "ends in the middle"},
		"a newer version":   {change(0, codecVersion+1), "newer program"},
		"an unknown phase":  {change(1, 9), "phase 9"},
		"fewer steps":       {change(steps, 0x7f), "ends in the middle"},
		"too many steps":    {append(row[:steps:steps], 0x81, 1), "129 steps"},
		"an unknown status": {change(steps+1, 0xf0), "unknown status"},
		"more than a state": {append(change(0, codecVersion), 1), "1 bytes follow"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := DecodeState(test.row); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	for n := range row {
		if _, err := DecodeState(row[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a state", n, len(row))
		}
	}
}

func TestEntriesComeBackFromTheStoreAsTheyWere(t *testing.T) {
	entries := []Entry{{Kind: "k", At: 1, Step: -1}, {
		Kind: "action_failed", At: begin, Step: 3, Dir: unwind.Action, Attempt: 2, Generation: 1, NotBefore: begin, Ask: true, Class: unwind.ClassRefused, Status: 409,
		Message: "no <\"way\"> \u2028\n", Counted: true, Executed: true, Actor: "ann", Reason: "why", Evidence: "ev", NewKey: true, As: "done", Group: "g", Output: json.RawMessage(`{"n":1.50}`),
	}}
	row := AppendEntries(nil, entries)
	if want := jsonOf(t, entries); string(row) != want {
		t.Errorf("got %s\nwant %s", row, want)
	}
	if got, err := DecodeEntries(row); err != nil || !reflect.DeepEqual(got, entries) {
		t.Errorf("came back as %+v, %v", got, err)
	}
	if _, err := DecodeEntries([]byte(`[{"k":1}]`)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged row: %v", err)
	}
	if got, err := DecodeEntries([]byte(`[{"k":"x","newer":1}]`)); err != nil || got[0].Kind != "x" {
		t.Errorf("a field of a newer program: %+v, %v", got, err)
	}
}

func TestTokensNameOneCall(t *testing.T) {
	const id = "019307e2-5a00-7001-8000-000000000001"
	for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
		token := Token(id, 7, dir, 300)
		saga, step, gotDir, generation, err := ParseToken(token)
		if err != nil || saga != id || step != 7 || gotDir != dir || generation != 300 {
			t.Errorf("%s came back as %s %d %s %d, %v", token, saga, step, gotDir, generation, err)
		}
		cut := append([]byte(id), 7, dir[0], 0x80)
		if _, _, _, _, err := ParseToken(base64.RawURLEncoding.EncodeToString(append(cut, check(cut)...))); err == nil {
			t.Error("a token whose generation is cut was taken")
		}
		for _, bad := range []string{"", "%", token[1:], token[:len(token)-1], "A" + token[1:]} {
			if _, _, _, _, err := ParseToken(bad); err == nil {
				t.Errorf("the token %q was taken", bad)
			}
		}
	}
}
