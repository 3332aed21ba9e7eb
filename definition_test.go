package unwind_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

func placeOrder() unwind.Definition {
	return unwind.Definition{
		Name: "place-order",
		Steps: []unwind.Step{
			{
				Name:         "charge",
				Action:       &unwind.Call{Service: "payments", Path: "/charge", Body: json.RawMessage(`{"n": 9007199254740993}`)},
				Compensation: &unwind.Call{Service: "payments", Path: "/refund", Priority: unwind.Money},
			},
			{
				Name:         "tell",
				After:        []string{},
				Action:       &unwind.Call{Service: "mail", Path: "/send"},
				Compensation: unwind.None,
			},
		},
	}
}

func TestADefinitionReadsBackFromItsJSON(t *testing.T) {
	want := placeOrder()
	b, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got unwind.Definition
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !got.Steps[1].Compensation.IsNone() || got.Steps[0].Compensation.IsNone() {
		t.Error("compensation: none is lost or gained")
	}
	if got.Steps[1].After == nil || got.Steps[0].After != nil {
		t.Error("an empty after is no longer told from a missing one")
	}
	got.Steps[0].Action.Body, want.Steps[0].Action.Body = nil, nil // compacted on the way
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNoneIsAWordAndTheAbsenceOfACallIsNot(t *testing.T) {
	b, err := json.Marshal(unwind.Step{Name: "a", Compensation: unwind.None})
	if err != nil || !strings.Contains(string(b), `"compensation":"none"`) {
		t.Errorf("got %s, %v", b, err)
	}
	b, err = json.Marshal(unwind.Step{Name: "a"})
	if err != nil || strings.Contains(string(b), "compensation") {
		t.Errorf("got %s, %v", b, err)
	}
	var c *unwind.Call
	if c.IsNone() || (&unwind.Call{}).IsNone() || !unwind.None.IsNone() {
		t.Error("a missing or an empty call counts as none, or None does not")
	}
}

func TestAGoFunctionLeavesAMark(t *testing.T) {
	call := &unwind.Call{Func: func(context.Context, unwind.Request) (json.RawMessage, error) { return nil, nil }}
	b, err := json.Marshal(call)
	if err != nil || string(b) != `{"local":true}` {
		t.Errorf("got %s, %v", b, err)
	}
	if call.Local {
		t.Error("marshalling changed the call")
	}
}

// A digest is stored with every saga: when this test fails, sagas in the
// stores of users no longer find their definition.
func TestTheDigestStaysTheSameFromVersionToVersion(t *testing.T) {
	d := placeOrder()
	const want = "sha256:da9af0486348ce2f8c0eb1bb91d3390e92f1a878ac144cc88261d805260567d1"
	if got := d.Digest(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheDigestFollowsWhatADefinitionDoes(t *testing.T) {
	d := placeOrder()
	digest := d.Digest()
	spaced := placeOrder()
	spaced.Steps[0].Action.Body = json.RawMessage("{ \"n\" :\t9007199254740993}")
	if got := spaced.Digest(); got != digest {
		t.Errorf("blanks in a template change the digest to %s", got)
	}
	seen := map[string]string{digest: "nothing"}
	for name, change := range map[string]func(*unwind.Definition){
		"name":           func(d *unwind.Definition) { d.Name = "other" },
		"order of steps": func(d *unwind.Definition) { d.Steps[0], d.Steps[1] = d.Steps[1], d.Steps[0] },
		"after":          func(d *unwind.Definition) { d.Steps[1].After = nil },
		"none":           func(d *unwind.Definition) { d.Steps[1].Compensation = nil },
		"last digit":     func(d *unwind.Definition) { d.Steps[0].Action.Body = json.RawMessage(`{"n": 9007199254740992}`) },
		"pivot":          func(d *unwind.Definition) { d.Steps[1].Pivot = true },
		"deadline":       func(d *unwind.Definition) { d.Deadline = unwind.Hour },
		"tenants":        func(d *unwind.Definition) { d.Tenants = map[string]unwind.TypeLimits{"a": {Weight: 2}} },
	} {
		changed := placeOrder()
		change(&changed)
		if other, same := seen[changed.Digest()]; same {
			t.Errorf("a change of %s gives the digest of a change of %s", name, other)
		}
		seen[changed.Digest()] = name
	}
}

func TestTheDigestSurvivesTheWayThroughAStore(t *testing.T) {
	d := placeOrder()
	d.Tenants = map[string]unwind.TypeLimits{"b": {Weight: 1}, "a": {Weight: 2}, "c": {Compensation: &unwind.TypeLimits{Rate: unwind.PerSecond(5)}}}
	for range 20 {
		b, err := json.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		var again unwind.Definition
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if again.Digest() != d.Digest() {
			t.Fatalf("got %s, want %s", again.Digest(), d.Digest())
		}
		d = again
	}
}
