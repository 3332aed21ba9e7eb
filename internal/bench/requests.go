package bench

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// someID is a saga id where only its length counts.
const someID = "019307e2-5a00-7001-8000-000000000001"

// calls is a volley at the participant of requests like the engine's own: the
// headers and the body of a saga's second call.
func calls(participant *child, client *http.Client, clients, count int) (*volley, error) {
	p, err := plan(remote())
	if err != nil {
		return nil, err
	}
	facts := machine.Facts{ID: someID, Key: "20060102-150405-123456", Input: input, Outputs: []json.RawMessage{json.RawMessage(output), nil, nil}}
	state := machine.State{Steps: make([]machine.Step, len(p.Steps))}
	body := machine.Body(p, &facts, &state, 1, unwind.Action)
	key := []string{machine.Key(someID, stepNames[1], unwind.Action, 0)}
	agent, id, step, dir, attempt := []string{"unwind"}, []string{someID}, []string{stepNames[1]}, []string{"action"}, []string{"1"}
	trace := []string{"00-019307e25a0070018000000000000001-0123456789abcdef-01"}
	return &volley{
		client: client, url: participant.URL + "/" + stepNames[1], clients: clients, count: count, status: http.StatusOK,
		header: func(h http.Header, _ int) {
			h["Content-Type"], h["Accept"], h["User-Agent"] = jsonType, jsonType, agent
			h["Idempotency-Key"], h["Unwind-Saga"], h["Unwind-Step"] = key, id, step
			h["Unwind-Direction"], h["Unwind-Attempt"], h["Traceparent"] = dir, attempt, trace
		},
		body: func(b []byte, _ int) []byte { return append(b, body...) },
	}, nil
}

// starts is a volley of sagas at the server; each answer comes when its saga has
// completed. The keys begin with prefix, which no other volley may have.
func starts(server *child, client *http.Client, prefix string, clients, count int) *volley {
	done := []byte(`"status":"completed"`)
	return &volley{
		client: client, url: server.URL + "/v1/sagas", clients: clients, count: count, status: http.StatusCreated,
		header: func(h http.Header, _ int) { h["Content-Type"], h["Accept"] = jsonType, jsonType },
		body: func(b []byte, n int) []byte {
			b = append(b, `{"saga":"`+saga+`","key":"`+prefix...)
			b = strconv.AppendInt(b, int64(n), 10)
			b = append(b, `","wait":"30s","input":`...)
			b = append(b, input...)
			return append(b, '}')
		},
		check: func(_ int, answer []byte) bool { return bytes.Contains(answer, done) },
	}
}
