package machine

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// bodyPlan has a step "a.b" beside "a", whose outputs a path must tell apart.
func bodyPlan(t testing.TB, template string) (*Plan, *Facts) {
	t.Helper()
	call := func(body string) *unwind.Call {
		return &unwind.Call{Service: "s", Path: "/x", Body: json.RawMessage(body)}
	}
	def := &unwind.Definition{Name: "place-order", Amount: "input.amount", Steps: []unwind.Step{
		{Name: "a", Action: call(""), Compensation: unwind.None},
		{Name: "a.b", Action: call(""), Compensation: unwind.None},
		{Name: "pay", Action: call(template), Compensation: call(template)},
		{Name: "later", Action: call(""), Compensation: unwind.None},
	}}
	p, err := Compile(def, map[string]unwind.Participant{"s": {}})
	if err != nil {
		t.Fatal(err)
	}
	return p, &Facts{
		ID: "saga-1", Key: `ORD-"1"`,
		Input:   json.RawMessage(`{"amount":12345678901234567890.10,"text":"a \"b\" é","list":[{"x":1},[2,3]],"none":null,"a.b":{"c":true},"*":"star"}`),
		Outputs: []json.RawMessage{json.RawMessage(`{"id":"A","b":"inner"}`), json.RawMessage(`{"id":"AB"}`), json.RawMessage(`{"id":"own"}`), json.RawMessage(`{"id":"later"}`)},
	}
}

func TestBodyTemplates(t *testing.T) {
	for name, test := range map[string]struct{ template, want string }{
		"a value as it was written":         {`{"x":"${input.amount}"}`, `{"x":12345678901234567890.10}`},
		"a number inside text":              {`"${input.amount} EUR"`, `"12345678901234567890.10 EUR"`},
		"a string inside text":              {`"<${input.text}>"`, `"<a \"b\" é>"`},
		"the whole input":                   {`["${input}"]`, ``},
		"an element of an array":            {`"${input.list.0.x}"`, `1`},
		"an element of a nested array":      {`"${input.list.1.1}"`, `3`},
		"beyond an array":                   {`"${input.list.7}"`, `null`},
		"no index":                          {`"${input.list.x}"`, `null`},
		"into a number":                     {`"${input.amount.x}"`, `null`},
		"nothing there":                     {`{"x":"${input.nope}","y":"-${input.nope}-"}`, `{"x":null,"y":"--"}`},
		"null inside text":                  {`"-${input.none}-"`, `"--"`},
		"an object inside text":             {`"${input.list.0}!"`, `"{\"x\":1}!"`},
		"no pattern, a name":                {`"${input.*}"`, `"star"`},
		"an ancestor's output":              {`"${outputs.a.id}"`, `"A"`},
		"the longest step name wins":        {`"${outputs.a.b.id}"`, `"AB"`},
		"a whole output":                    {`"${outputs.a}"`, `{"id":"A","b":"inner"}`},
		"not of a step that comes later":    {`"${outputs.later.id}"`, `null`},
		"not of a step that does not exist": {`"${outputs.nope}"`, `null`},
		"the saga's names":                  {`["${saga.id}","${saga.name}","${saga.key}","${saga.nope}"]`, `["saga-1","place-order","ORD-\"1\"",null]`},
		"a root that does not exist":        {`"${env.HOME}"`, `null`},
		"two references":                    {`"${saga.id}/${outputs.a.id}"`, `"saga-1/A"`},
		"a name of a member stays text":     {`{"${input.amount}" :1}`, `{"12345678901234567890.10" :1}`},
		"an unclosed reference":             {`"${input.amount"`, `"${input.amount"`},
		"an unclosed one after another":     {`"${saga.id} ${saga"`, `"saga-1 ${saga"`},
		"an escaped reference is text":      {`"\u0024{input.amount}"`, `"\u0024{input.amount}"`},
		"escapes beside a reference":        {`"\"${saga.id}\n"`, `"\"saga-1\n"`},
		"constants":                         {`{"a":1.50,"b":[true,null,"x\\"]}`, `{"a":1.50,"b":[true,null,"x\\"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := bodyPlan(t, test.template)
			got := string(Body(p, f, &State{}, 2, unwind.Action))
			if want := test.want; want != "" && got != want || want == "" && got != "["+string(f.Input)+"]" {
				t.Errorf("%s becomes %s, want %s", test.template, got, test.want)
			}
		})
	}
}

func TestACompensationSeesItsOwnOutput(t *testing.T) {
	p, f := bodyPlan(t, `{"own":"${outputs.pay.id}","before":"${outputs.a.id}"}`)
	if got := string(Body(p, f, &State{}, 2, unwind.Compensation)); got != `{"own":"own","before":"A"}` {
		t.Error(got)
	}
	if got := string(Body(p, f, &State{}, 2, unwind.Action)); got != `{"own":null,"before":"A"}` {
		t.Error(got)
	}
}

func TestAmountIsTheNumberAtTheDefinitionsPath(t *testing.T) {
	p, f := bodyPlan(t, "")
	for path, want := range map[string]string{"input.amount": "12345678901234567890.10", "input.text": "", "input.nope": "", "": "", "input": ""} {
		p.Def.Amount = path
		if got := string(Amount(p, f.Input)); got != want {
			t.Errorf("amount %q is %q, want %q", path, got, want)
		}
	}
	p.Def.Amount = "input.x"
	if got := string(Amount(p, json.RawMessage(`{"x":-3}`))); got != "-3" {
		t.Errorf("a negative amount is %q", got)
	}
}

// jsonOf is what encoding/json writes without escaping for HTML.
func jsonOf(t testing.TB, v any) string {
	t.Helper()
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func TestAppendJSONStringWritesWhatEncodingJSONWrites(t *testing.T) {
	var all strings.Builder
	for r := range rune(0x2100) {
		all.WriteRune(r)
	}
	for _, s := range []string{"", "plain", all.String(), "\xff\xc0bad\xe2\x28", "\ufffd", "a\u2028b\u2029", "\U0001F600", `"\/<&>`} {
		if got, want := string(AppendJSONString(nil, s)), jsonOf(t, s); got != want {
			t.Errorf("%q becomes %s, want %s", s, got, want)
		}
	}
}

// What docs/services.md says that a service is sent is what it is sent.
func TestThePageForServicesShowsTheStandardBodies(t *testing.T) {
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	call := &unwind.Call{Service: "s", Path: "/x"}
	p, err := Compile(&unwind.Definition{Name: "order", Steps: []unwind.Step{
		{Name: "reserve", Action: call, Compensation: call},
		{Name: "charge", Action: call, Compensation: call},
	}}, map[string]unwind.Participant{"s": {}})
	if err != nil {
		t.Fatal(err)
	}
	f := &Facts{
		ID: "01a207c1-5acb-7a9c-870d-98c6914afcae", Key: "ORD-1", Input: json.RawMessage(`{"cents":1299}`),
		Outputs: []json.RawMessage{json.RawMessage(`{"id":"r-7"}`), nil},
	}
	s := &State{Steps: make([]Step, 2)}
	for _, body := range []json.RawMessage{Body(p, f, s, 1, unwind.Action), Body(p, f, s, 0, unwind.Compensation)} {
		if !strings.Contains(string(page), "\n"+string(body)+"\n") {
			t.Errorf("the page does not show\n%s", body)
		}
	}
}
