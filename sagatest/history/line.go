package history

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/unwindhq/unwind"
)

// Micros is an instant in microseconds since the Unix epoch, or a span of them.
// In JSON it is an integer; an instant may also be read as RFC 3339 text.
type Micros int64

// UnmarshalJSON implements json.Unmarshaler.
func (m *Micros) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		t, err := time.Parse(time.RFC3339Nano, string(b[1:len(b)-1]))
		if err != nil {
			return fmt.Errorf("%s is not a time; write microseconds since the epoch or RFC 3339 text", b)
		}
		*m = Micros(t.UnixMicro())
		return nil
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a time; write microseconds since the epoch or RFC 3339 text", b)
	}
	*m = Micros(v)
	return nil
}

// An Event says what a line tells.
type Event string

// The events.
const (
	// Invoke: a call was made (client) or came in (participant).
	Invoke Event = "invoke"
	// Return: it was answered; the line repeats the fields of its invoke.
	Return Event = "return"
	// Journal: the engine committed an entry of a saga's journal.
	Journal Event = "journal"
	// Audit: the engine committed an audit row.
	Audit Event = "audit"
	// Alert: an alert was delivered.
	Alert Event = "alert"
	// Cut: the process that writes this log was killed, so that lines between
	// the one before and this one may be missing.
	Cut Event = "cut"
)

// An Outcome is what whoever wrote the line knows of an effect.
type Outcome string

// The outcomes.
const (
	// OK: it took effect.
	OK Outcome = "ok"
	// Fail: it did not, and will not.
	Fail Outcome = "fail"
	// Unknown: a timeout, a crash, a 5xx.
	Unknown Outcome = "unknown"
)

// What a client asks for, and what an audit row tells of, in [Line.Op]. Other
// words are allowed and not judged.
const (
	OpStart   = "start"
	OpGet     = "get"
	OpCancel  = "cancel"
	OpReplay  = "replay"
	OpResolve = "resolve"
	OpReopen  = "reopen"
	// OpSend is an operator's "send one now".
	OpSend = "send-now"
	// OpComplete completes an asynchronous call: of a client, or in a participant's log.
	OpComplete = "complete"
	// OpStatus is a question to a participant's status path.
	OpStatus = "status"
)

// A Line is one line of a log. Which fields count depends on the log and the
// event; see the package comment. The zero value of a field means "not said".
type Line struct {
	T     Micros `json:"t"`
	Node  string `json:"node,omitempty"`
	Epoch int64  `json:"epoch,omitempty"`
	// Lease names what the epoch fences. Empty: the whole store.
	Lease string `json:"lease,omitempty"`
	Event Event  `json:"event"`

	// The call, or the place of a journal entry.
	Saga       string           `json:"saga,omitempty"`
	Step       string           `json:"step,omitempty"`
	Direction  unwind.Direction `json:"direction,omitempty"`
	Attempt    int              `json:"attempt,omitempty"`
	Generation int              `json:"generation,omitempty"`
	Key        string           `json:"key,omitempty"`
	BodySHA    string           `json:"body_sha,omitempty"`
	Outcome    Outcome          `json:"outcome,omitempty"`
	// Status is the HTTP status of a return; 0: none.
	Status int `json:"status,omitempty"`

	// Participants.
	Service string       `json:"service,omitempty"`
	Class   unwind.Class `json:"class,omitempty"`
	Answer  string       `json:"answer,omitempty"` // the answer's Unwind-Outcome
	Path    string       `json:"path,omitempty"`

	// Clients; Op also in participants' and audit lines.
	Op         string        `json:"op,omitempty"`
	RequestKey string        `json:"request_key,omitempty"`
	Tenant     string        `json:"tenant,omitempty"`
	InputSHA   string        `json:"input_sha,omitempty"`
	SagaStatus unwind.Status `json:"saga_status,omitempty"`

	// The journal. Name is the definition's, in client lines as well.
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	Data    *Data  `json:"data,omitempty"`

	// Note is for people.
	Note string `json:"note,omitempty"`

	file   string
	number int
}

// Data is what a journal entry says beyond its place. Unknown fields are passed over.
type Data struct {
	// Of saga_started.
	Key      string `json:"key,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	InputSHA string `json:"input_sha,omitempty"`
	// Of an order. Ask: the question goes to the status path, it is no call.
	NotBefore Micros `json:"not_before,omitempty"`
	Ask       bool   `json:"ask,omitempty"`
	// Of an answer, MayHaveExecuted of an order too. Status is the HTTP status.
	MayHaveExecuted bool         `json:"may_have_executed,omitempty"`
	Class           unwind.Class `json:"class,omitempty"`
	Status          int          `json:"-"`
	Message         string       `json:"message,omitempty"`
	Counted         bool         `json:"counted,omitempty"`
	// Of dead_lettered and of alerts: while one of a group fires, it tells of all that
	// die of that cause.
	Group string `json:"group,omitempty"`
	// Over is when an alert ended; 0: it fires.
	Over Micros `json:"over,omitempty"`
	// Of operators' acts.
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	NewKey bool   `json:"new_key,omitempty"`
	As     string `json:"as,omitempty"`
	// Cause of saga_compensating and cancel_requested.
	Cause string `json:"cause,omitempty"`
	// Ended is the "status" of saga_ended.
	Ended unwind.Status `json:"-"`
}

type plainData Data

type wireData struct {
	*plainData
	Status any `json:"status,omitempty"`
}

// MarshalJSON implements json.Marshaler: "status" is the number of an answer or
// the state of an ended saga.
func (d *Data) MarshalJSON() ([]byte, error) {
	w := wireData{plainData: (*plainData)(d)}
	if d.Ended != "" {
		w.Status = d.Ended
	} else if d.Status != 0 {
		w.Status = d.Status
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Data) UnmarshalJSON(b []byte) error {
	w := wireData{plainData: (*plainData)(d)}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	switch v := w.Status.(type) {
	case nil:
	case float64:
		d.Status = int(v)
	case string:
		d.Ended = unwind.Status(v)
	default:
		return fmt.Errorf("data.status is %v; write an HTTP status or a saga's state", v)
	}
	return nil
}

var noData Data

func (l *Line) data() *Data {
	if l.Data == nil {
		return &noData
	}
	return l.Data
}

// generation of a call: the field, or else what the key ends in.
func (l *Line) generation() int {
	base := len(l.Saga) + len(l.Step) + len(l.Direction) + 3
	if l.Generation != 0 || len(l.Key) <= base || l.Key[base-1] != '/' {
		return l.Generation
	}
	g, err := strconv.Atoi(l.Key[base:])
	if err != nil || g < 0 {
		return 0
	}
	return g
}

// earliest is when what an order line orders may leave.
func (l *Line) earliest() Micros { return max(l.T, l.data().NotBefore) }
