package participant

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The outcomes of recorded calls.
const (
	open    = "open"
	blocked = "blocked"
	done    = "done"
	empty   = "empty"
	refused = "refused"
	invalid = "invalid"
)

// A record is one row of the barrier's table.
type record struct {
	direction  Direction
	generation int
	outcome    string
	bodySHA    string
	answer     string
}

// answered reports that the record holds an answer to its call.
func (r record) answered() bool { return r.outcome != open && r.outcome != blocked }

// A verdict says what to do with a call. Exactly one of its fields is set,
// save that execute may come with recorded.
type verdict struct {
	execute  bool            // run the handler
	recorded json.RawMessage // the action's output, for the handler of its compensation
	empty    bool            // record a compensation with nothing to undo
	output   json.RawMessage // answer this success
	err      *Error          // answer this
}

// decide judges a call against the records of its step. It is pure; the caller
// holds the step's lock.
func decide(records []record, call Call) verdict {
	var action *record // the latest one that is done
	compensated := false
	for i, r := range records {
		if !r.answered() {
			continue
		}
		if r.direction == call.Direction && r.generation == call.Generation {
			return again(r, call)
		}
		switch {
		case r.direction == Compensation:
			compensated = true
		case r.outcome == done && (action == nil || r.generation > action.generation):
			action = &records[i]
		}
	}
	for _, r := range records {
		if r.answered() && r.direction == call.Direction && r.generation > call.Generation {
			return verdict{err: &Error{Code: CodeSuperseded, Reason: fmt.Sprintf(
				"generation %d of this call was here before generation %d", r.generation, call.Generation)}}
		}
	}
	if call.Direction == Action {
		if compensated {
			return verdict{err: &Error{Code: CodeCompensated, Reason: "step " + call.Step + " of saga " + call.Saga +
				" was compensated before its action arrived; the action is not carried out"}}
		}
		return verdict{execute: true}
	}
	if action != nil {
		return verdict{execute: true, recorded: json.RawMessage(action.answer)}
	}
	// The engine has an answer of the action that this database does not know:
	// to call it empty would leave the effect standing and say it was undone.
	if out := bytes.TrimSpace(call.Output); len(out) > 0 && !bytes.Equal(out, []byte("null")) {
		return verdict{err: &Error{Code: CodeRecordMissing, Reason: "the engine has an output of step " + call.Step +
			", but there is no record of the action here: it was purged, or the database was restored or is another one"}}
	}
	return verdict{empty: true}
}

// again repeats the answer that a duplicate's original got.
func again(r record, call Call) verdict {
	if r.bodySHA != call.digest() {
		return verdict{err: &Error{Code: CodeKeyReused, Reason: "the key " + call.Key +
			" was answered before for another body; a key stands for one body"}}
	}
	switch r.outcome {
	case refused:
		return verdict{err: Refuse(r.answer)}
	case invalid:
		return verdict{err: Invalid(r.answer)}
	}
	return verdict{output: json.RawMessage(r.answer)}
}
