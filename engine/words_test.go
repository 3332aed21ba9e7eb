package engine_test

import (
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// What operators write is read by others, in terminals, pages and messages: it says
// something, is short, and does not steer what shows it.
func TestWordsOfOperatorsAreChecked(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:422", nil)
	d := w.dead("o-1")
	other := w.dead("o-2")
	paused := true
	acts := map[string]func(words string) error{
		"replay's reason": func(s string) error {
			_, err := w.Replay(t.Context(), d.ID, unwind.ReplayRequest{Reason: s})
			return err
		},
		"replay's evidence": func(s string) error {
			_, err := w.Replay(t.Context(), d.ID, unwind.ReplayRequest{Reason: "r", NewKey: true, Evidence: s})
			return err
		},
		"resolve's reason": func(s string) error {
			_, err := w.Resolve(t.Context(), d.ID, unwind.ResolveRequest{Reason: s, Evidence: "e"})
			return err
		},
		"resolve's evidence": func(s string) error {
			_, err := w.Resolve(t.Context(), d.ID, unwind.ResolveRequest{Reason: "r", Evidence: s})
			return err
		},
		"reopen's reason": func(s string) error {
			_, err := w.Reopen(t.Context(), d.ID, unwind.ReopenRequest{Reason: s})
			return err
		},
		"note": func(s string) error {
			_, err := w.Note(t.Context(), d.ID, unwind.NoteRequest{Text: s})
			return err
		},
		"owner": func(s string) error {
			_, err := w.Note(t.Context(), d.ID, unwind.NoteRequest{Owner: s})
			return err
		},
		"pause's reason": func(s string) error {
			_, err := w.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Paused: &paused, Reason: s})
			return err
		},
		"operation's reason": func(s string) error {
			_, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{IDs: []string{d.ID}}, Reason: s})
			return err
		},
		"release's reason": func(s string) error { return w.Release(t.Context(), unwind.ReleaseRequest{Reason: s}) },
	}
	for what, act := range acts {
		for name, words := range map[string]string{
			"blanks": " \n\t ", "an escape": "a\x1b[2J", "a zero": "a\x00", "text that turns": "\u202egnp.exe", "a book": strings.Repeat("x", 4097),
		} {
			if err := act(words); unwind.CodeOf(err) != unwind.InvalidRequest {
				t.Errorf("%s of %s got %v", what, name, err)
			}
		}
	}
	if got, err := w.DeadLetter(t.Context(), d.ID); err != nil || got.State != unwind.DeadLetterOpen || len(got.Notes) != 0 {
		t.Errorf("what was refused changed it: %+v, error %v", got, err)
	}
	if _, err := w.Resolve(t.Context(), other.ID, unwind.ResolveRequest{Reason: "the bank's word:\n\t„schon bezahlt“", Evidence: "slip 4711"}); err != nil {
		t.Errorf("lines and quotes got %v", err)
	}
}

// A thing has one name in the audit, however it was named by who acted on it.
func TestTheAuditNamesThingsOneWay(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:422", nil)
	d := w.dead("o-1")
	for _, alias := range []string{strings.ToUpper(d.SagaID) + d.ID[len(d.SagaID):], strings.Replace(d.ID, ".", ".0", 1), strings.Replace(d.ID, ".", ".+", 1)} {
		if _, err := w.Resolve(t.Context(), alias, unwind.ResolveRequest{Reason: "r", Evidence: "e"}); unwind.CodeOf(err) != unwind.NotFound {
			t.Errorf("%s got %v", alias, err)
		}
	}
	waits := newWorld(t, withSignal(unwind.Hour), "", nil)
	id := waits.begin("o-1")
	if _, err := waits.Cancel(t.Context(), strings.ToUpper(id), unwind.CancelRequest{Reason: "sold out"}); err != nil {
		t.Fatal(err)
	}
	rows, err := waits.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if err != nil || len(rows.Items) != 1 || rows.Items[0].Target != id {
		t.Errorf("the audit says %+v, error %v", rows.Items, err)
	}
}
