package participant

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The headers of a call and of its answer.
const (
	HeaderKey       = "Idempotency-Key"
	HeaderSaga      = "Unwind-Saga"
	HeaderStep      = "Unwind-Step"
	HeaderDirection = "Unwind-Direction"
	HeaderAttempt   = "Unwind-Attempt"
	HeaderOutcome   = "Unwind-Outcome"
)

// maxKey bounds the length of a key in bytes.
const maxKey = 1024

// A Direction says whether a call does a step or undoes it.
type Direction string

// The two directions.
const (
	Action       Direction = "action"
	Compensation Direction = "compensation"
)

// A Call is one call of a saga's step as the participant received it. It is a
// value; its slices and maps are not to be changed.
type Call struct {
	// Key is the idempotency key: <saga>/<step>/<direction>[/<generation>].
	Key string
	// Saga is the saga's id, Step the step's name.
	Saga, Step string
	Direction  Direction
	// Generation is 0 unless an operator replayed the call under a new key.
	Generation int
	// Attempt counts from 1; a crash of the engine repeats a number.
	Attempt int

	// SagaName and SagaKey are the definition's name and the key the saga was
	// started with. They and the fields below are empty when the step has a
	// body template; Body always has what was sent.
	SagaName, SagaKey string
	// Input is the input of the saga.
	Input json.RawMessage
	// Outputs has the outputs of the steps before this one; actions only.
	Outputs map[string]json.RawMessage
	// Output is the action's output as the engine knows it, null when it does
	// not know; compensations only.
	Output json.RawMessage
	// MayHaveExecuted says that the engine does not know whether the action
	// took effect; compensations only.
	MayHaveExecuted bool

	// Recorded is the action's output as the barrier recorded it in the same
	// transaction as its effect; compensations only. It is there also when the
	// answer got lost and the engine knows no output.
	Recorded json.RawMessage

	// Body is the request's body; nil when there was none.
	Body json.RawMessage
}

// ParseCall reads a call from a request's headers and its body. Only
// Idempotency-Key is required; the other headers, where present, must agree
// with it. The error is an [*Error] of code [CodeMalformed].
func ParseCall(h http.Header, body []byte) (Call, error) {
	c, err := parseKey(h.Get(HeaderKey))
	if err != nil {
		return Call{}, err
	}
	for name, want := range map[string]string{HeaderSaga: c.Saga, HeaderStep: c.Step, HeaderDirection: string(c.Direction)} {
		if got := h.Get(name); got != "" && got != want {
			return Call{}, malformed("%s is %q, but the %s %q says %q", name, got, HeaderKey, c.Key, want)
		}
	}
	c.Attempt = 1
	if text := h.Get(HeaderAttempt); text != "" {
		if c.Attempt, err = strconv.Atoi(text); err != nil || c.Attempt < 1 {
			return Call{}, malformed("%s is %q; want a whole number from 1", HeaderAttempt, text)
		}
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return c, nil
	}
	if !json.Valid(body) {
		return Call{}, malformed("the body is not JSON")
	}
	c.Body = body
	c.readEnvelope()
	return c, nil
}

// parseKey takes a key apart from both ends: a step's name may hold a slash.
func parseKey(key string) (Call, error) {
	if key == "" {
		return Call{}, malformed("the header %s is missing", HeaderKey)
	}
	if len(key) > maxKey {
		return Call{}, malformed("%s has %d bytes; at most %d are taken", HeaderKey, len(key), maxKey)
	}
	wrong := malformed("%s is %q; want <saga>/<step>/action or /compensation, then /<generation> if there is one", HeaderKey, key)
	c := Call{Key: key, Attempt: 1}
	saga, rest, _ := strings.Cut(key, "/")
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 {
		return Call{}, wrong
	}
	if n, err := strconv.Atoi(rest[slash+1:]); err == nil {
		if n < 1 || strconv.Itoa(n) != rest[slash+1:] {
			return Call{}, wrong
		}
		c.Generation, rest = n, rest[:slash]
		if slash = strings.LastIndexByte(rest, '/'); slash < 0 {
			return Call{}, wrong
		}
	}
	c.Saga, c.Step, c.Direction = saga, rest[:slash], Direction(rest[slash+1:])
	if c.Saga == "" || c.Step == "" || c.Direction != Action && c.Direction != Compensation {
		return Call{}, wrong
	}
	return c, nil
}

// readEnvelope fills the fields of the standard body. A body that a template
// made has no saga object naming this saga and is left alone.
func (c *Call) readEnvelope() {
	var e struct {
		Saga struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			Key  string `json:"key"`
		} `json:"saga"`
		Input           json.RawMessage            `json:"input"`
		Outputs         map[string]json.RawMessage `json:"outputs"`
		Output          json.RawMessage            `json:"output"`
		MayHaveExecuted bool                       `json:"may_have_executed"`
	}
	if err := json.Unmarshal(c.Body, &e); err != nil || e.Saga.ID != c.Saga {
		return
	}
	c.SagaName, c.SagaKey, c.Input = e.Saga.Name, e.Saga.Key, e.Input
	if c.Direction == Action {
		c.Outputs = e.Outputs
		return
	}
	c.Output, c.MayHaveExecuted = e.Output, e.MayHaveExecuted
}

// DecodeInput decodes the saga's input into v. The error is an [*Error] of
// code [CodeInvalid] that a [Func] can return as it is.
func (c Call) DecodeInput(v any) error {
	if c.Input == nil {
		return Invalid("the body has no input of saga " + c.Saga)
	}
	return decode("input", c.Input, v)
}

// DecodeOutput decodes the output of an earlier step into v; actions only. The
// error is as for [Call.DecodeInput].
func (c Call) DecodeOutput(step string, v any) error {
	raw, ok := c.Outputs[step]
	if !ok {
		return Invalid(fmt.Sprintf("the body has no output of step %q", step))
	}
	return decode("output of step "+step, raw, v)
}

// DecodeRecorded decodes [Call.Recorded] into v: what a compensation has to
// undo. The error is as for [Call.DecodeInput].
func (c Call) DecodeRecorded(v any) error {
	if c.Recorded == nil {
		return Invalid("no output is recorded for the action of step " + c.Step)
	}
	return decode("recorded output", c.Recorded, v)
}

func decode(what string, raw json.RawMessage, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return Invalid(fmt.Sprintf("the %s does not fit: %v", what, err))
	}
	return nil
}

// digest names the body, to tell a duplicate from a key that is used twice.
func (c Call) digest() string {
	sum := sha256.Sum256(c.Body)
	return hex.EncodeToString(sum[:])
}
