package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/unwindhq/unwind"
)

const schemaPrefix = "#/components/schemas/"

// describe makes the OpenAPI document and its page from the routes.
func describe(routes []route, version string) ([]byte, docsPage, error) {
	s := newSchemas()
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Unwind", Version: version,
			Description: "A durable saga engine. Every error is application/problem+json (RFC 9457). Times are RFC 3339 with microseconds, UTC; durations and rates are written as in 10s and 40/s.",
			License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: s.registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "A token of the configuration. A server without tokens answers on loopback only and asks for none."},
			},
		},
	}
	for i := range routes {
		doc.AddOperation(s.operation(&routes[i]))
	}
	for _, t := range eventTypes {
		s.of(t)
	}
	s.finish()
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, docsPage{}, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	page, err := newDocsPage(doc, routes)
	return append(b, '\n'), page, err
}

// operation describes a route.
func (s *schemas) operation(r *route) *huma.Operation {
	least := leastRole[r.key]
	op := &huma.Operation{
		Method: r.method(), Path: r.path(), OperationID: r.id, Tags: []string{r.tag}, Summary: r.summary, Description: r.text,
		Responses: map[string]*huma.Response{},
	}
	if least != anyone {
		op.Security = []map[string][]string{{"token": {}}}
		op.Description = strings.TrimSpace(op.Description + " Needs the role " + string(least) + ".")
	}
	for _, name := range r.wildcards() {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Description: pathTexts[name], Schema: &huma.Schema{Type: "string"}})
	}
	for _, p := range r.query {
		op.Parameters = append(op.Parameters, p.describe("query"))
	}
	for _, p := range r.header {
		op.Parameters = append(op.Parameters, p.describe("header"))
	}
	if r.body != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{r.accepts(): {Schema: s.of(r.body)}}}
	}
	for _, a := range r.answers {
		op.Responses[strconv.Itoa(a.status)] = s.response(a)
	}
	for _, status := range r.refusalStatuses() {
		key := strconv.Itoa(status)
		if op.Responses[key] == nil {
			op.Responses[key] = s.response(answer{status: status, text: refusalTexts[status], body: typeOf[Problem](), contentType: "application/problem+json"})
		}
	}
	return op
}

func (r *route) accepts() string {
	if r.bodyType == "" {
		return jsonType
	}
	return r.bodyType
}

func (p param) describe(in string) *huma.Param {
	schema := &huma.Schema{Type: p.kind, Format: p.format}
	for _, e := range p.enum {
		schema.Enum = append(schema.Enum, e)
	}
	if p.most > 0 {
		least, most := 1.0, float64(p.most)
		schema.Minimum, schema.Maximum = &least, &most
	}
	return &huma.Param{Name: p.name, In: in, Description: p.text, Schema: schema}
}

func (s *schemas) response(a answer) *huma.Response {
	out := &huma.Response{Description: a.text}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		out.Headers = map[string]*huma.Header{"Retry-After": {Description: "Seconds", Schema: &huma.Schema{Type: "integer"}}}
	}
	if a.contentType == "" && a.body != nil {
		a.contentType = jsonType
	}
	if a.contentType != "" {
		media := &huma.MediaType{}
		if a.body != nil {
			media.Schema = s.of(a.body)
		}
		out.Content = map[string]*huma.MediaType{a.contentType: media}
	}
	return out
}

var pathTexts = map[string]string{
	"id": "As lists name it", "name": "The name that the configuration gives it", "token": "A step's call_token",
}

var refusalTexts = map[int]string{
	400: "The request can't be read",
	401: "Nobody knows who you are",
	403: "You may not do this, or a page of another site asked",
	404: "There is no such thing",
	409: "It has moved on; the problem says who did what when, where it is known",
	413: "The body is too large",
	415: "The body is not of this kind",
	422: "The request is not valid; errors point at what is wrong",
	429: "There is too much to do; Retry-After says when to try again",
	500: "Something is wrong inside",
	503: "The store can't be reached; Retry-After says when to try again",
}

// refusalStatuses are the statuses of the problems that a route may answer with.
func (r *route) refusalStatuses() []int {
	statuses := []int{403, 500}
	if leastRole[r.key] != anyone {
		statuses = append(statuses, 401)
	}
	if strings.HasPrefix(r.path(), "/v1/") {
		statuses = append(statuses, 400, 422, 503)
	}
	if r.body != nil {
		statuses = append(statuses, 413, 415)
	}
	if r.bodyType == ndjsonType {
		statuses = append(statuses, 429)
	}
	for _, code := range r.refusals {
		statuses = append(statuses, code.HTTPStatus())
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

// schemas makes the schemas of Go types, as encoding/json writes them.
type schemas struct {
	registry huma.Registry
}

func newSchemas() *schemas {
	name := func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Struct") // huma ends types without a name so
	}
	return &schemas{huma.NewMapRegistry(schemaPrefix, name)}
}

func (s *schemas) of(t reflect.Type) *huma.Schema { return s.registry.Schema(t, true, t.Name()) }

// enums lists the words of types that are one of a few.
var enums = map[reflect.Type][]string{
	typeOf[unwind.Status]():     texts(sagaStatuses),
	typeOf[unwind.StepStatus](): texts([]unwind.StepStatus{unwind.StepPending, unwind.StepRunning, unwind.StepAwaiting, unwind.StepSucceeded, unwind.StepFailed, unwind.StepSkipped}),
	typeOf[unwind.CompensationStatus](): texts([]unwind.CompensationStatus{
		unwind.CompensationNone, unwind.CompensationPending, unwind.CompensationQueued, unwind.CompensationRunning,
		unwind.CompensationAwaiting, unwind.CompensationCompensated, unwind.CompensationDeadLettered, unwind.CompensationResolved,
	}),
	typeOf[unwind.Class](): texts([]unwind.Class{
		unwind.ClassRefused, unwind.ClassInvalid, unwind.ClassInProgress, unwind.ClassThrottled,
		unwind.ClassServiceFault, unwind.ClassNotSent, unwind.ClassUncertain, unwind.ClassKeyExpired, unwind.ClassLocal,
	}),
	typeOf[unwind.JournalWord](): texts([]unwind.JournalWord{
		unwind.JournalDone, unwind.JournalUndone, unwind.JournalUncertain, unwind.JournalDead, unwind.JournalOrdered, unwind.JournalNotBegun,
	}),
	typeOf[unwind.StatusOutcome]():   texts([]unwind.StatusOutcome{unwind.StatusDone, unwind.StatusNotDone, unwind.StatusInProgress}),
	typeOf[unwind.Direction]():       texts([]unwind.Direction{unwind.Action, unwind.Compensation}),
	typeOf[unwind.DeadLetterState](): texts(deadLetterStates),
	typeOf[unwind.StepKind]():        texts([]unwind.StepKind{unwind.ActionStep, unwind.DelayStep, unwind.SignalStep}),
	typeOf[unwind.Priority]():        texts([]unwind.Priority{unwind.Money, unwind.Normal, unwind.Low}),
	typeOf[unwind.OnDeadLetter]():    texts([]unwind.OnDeadLetter{unwind.Continue, unwind.Block}),
}

// finish corrects what reflection alone can't know: null for pointers that are
// not left out, lists that are never null, the words of enums, and the forms of
// times, durations, rates and compensations. Answers may grow fields, so only
// requests are closed.
func (s *schemas) finish() {
	closed := s.requests()
	for name, schema := range s.registry.Map() {
		t := s.registry.TypeFromRef(schemaPrefix + name)
		for _, f := range reflect.VisibleFields(t) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if p := schema.Properties[tag]; p != nil && tag != "-" {
				schema.Properties[tag] = s.property(f.Type, strings.Contains(options, "omit"), p)
			}
		}
		if !closed[name] {
			schema.AdditionalProperties = nil
		}
	}
	if step := s.registry.Map()["Step"]; step != nil {
		step.Properties["compensation"] = &huma.Schema{OneOf: []*huma.Schema{{Type: "string", Enum: []any{"none"}}, {Ref: schemaPrefix + "Call"}}}
	}
	if call := s.registry.Map()["Call"]; call != nil {
		call.Properties["local"].Description = "Only on stored definitions whose calls are Go functions; a request may not set it"
	}
}

func (s *schemas) property(t reflect.Type, omitted bool, p *huma.Schema) *huma.Schema {
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	for _, word := range enums[base] {
		if len(p.Enum) < len(enums[base]) {
			p.Enum = append(p.Enum, word)
		}
	}
	switch {
	case base == typeOf[unwind.Time]():
		p.Format = "date-time"
	case base == typeOf[unwind.Duration]():
		p.Description = describeOr(p.Description, "A duration as Go writes it, as in 250ms, 10s, 5m or 72h")
	case base == typeOf[unwind.Rate]():
		p.Description = describeOr(p.Description, "Calls per time, as in 40/s, 2400/min or 100/h")
	case t.Kind() == reflect.Slice && p.Type == huma.TypeArray:
		p.Nullable = false
	case t.Kind() == reflect.Pointer && p.Ref != "" && !omitted:
		return &huma.Schema{AnyOf: []*huma.Schema{p, {Type: "null"}}}
	}
	return p
}

func describeOr(have, other string) string {
	if have != "" {
		return have
	}
	return other
}

// requests names the schemas that only requests hold.
func (s *schemas) requests() map[string]bool {
	closed := map[string]bool{}
	for _, t := range []reflect.Type{
		typeOf[unwind.StartRequest](), typeOf[unwind.CancelRequest](), typeOf[unwind.SignalRequest](),
		typeOf[unwind.Completion](), typeOf[unwind.ReplayRequest](), typeOf[unwind.ResolveRequest](),
		typeOf[unwind.Definition](), typeOf[unwind.Step](), typeOf[unwind.Call](), typeOf[unwind.Retry](), typeOf[unwind.TypeLimits](),
	} {
		closed[t.Name()] = true
	}
	return closed
}
