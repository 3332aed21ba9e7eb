package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// DeadLetters implements unwind.Service.
func (e *Engine) DeadLetters(ctx context.Context, f unwind.DeadLetterFilter) (unwind.List[unwind.DeadLetter], error) {
	var list unwind.List[unwind.DeadLetter]
	rows, next, err := e.store.DeadLetters(ctx, store.DeadLetterFilter{SagaType: f.Saga, Service: f.Service, Group: f.Group, State: f.State, Cursor: f.Cursor, Limit: store.PageLimit(f.Limit)})
	if err != nil {
		return list, failed("listing dead letters", err)
	}
	list.Items, list.NextCursor = make([]unwind.DeadLetter, 0, len(rows)), next
	for i := range rows {
		list.Items = append(list.Items, deadLetter(&rows[i]))
	}
	return list, nil
}

// DeadLetter implements unwind.Service.
func (e *Engine) DeadLetter(ctx context.Context, dead string) (*unwind.DeadLetter, error) {
	row, err := e.findDeadLetter(ctx, dead)
	if err != nil {
		return nil, err
	}
	d := deadLetter(&row)
	notes, err := e.store.Notes(ctx, row.DeadLetterID)
	if err != nil {
		return nil, failed("reading the notes on dead letter "+dead, err)
	}
	for _, n := range notes {
		d.Notes = append(d.Notes, unwind.Note{At: unwind.TimeFromMicros(n.At), By: n.By, Text: n.Text, Owner: n.Owner})
	}
	page := unwind.Page{Limit: 1000}
	for {
		history, err := e.History(ctx, row.Saga.String(), page)
		if err != nil {
			return nil, err
		}
		for _, en := range history.Items {
			if en.Step == d.Step && (en.Direction == d.Direction || en.Direction == "") {
				d.History = append(d.History, en)
			}
		}
		if page.Cursor = history.NextCursor; page.Cursor == "" {
			d.Verdict, err = e.verdict(ctx, &row, d.History)
			return &d, err
		}
	}
}

func deadLetter(row *store.DeadLetter) unwind.DeadLetter {
	d := unwind.DeadLetter{
		ID: row.Name(), SagaID: row.Saga.String(), Saga: row.SagaType, Tenant: row.Tenant,
		Step: row.StepName, Direction: row.Direction, Service: row.Service, Key: row.Key, Attempts: row.Attempts, Throttled: row.Throttled,
		FirstAt: unwind.TimeFromMicros(row.FirstAt), DeadAt: unwind.TimeFromMicros(row.DeadAt), Error: row.Error, Group: row.Group, State: row.State,
		Amount: json.RawMessage(row.Amount), By: row.By, Reason: row.Reason, Evidence: row.Evidence, UpdatedAt: unwind.TimeFromMicros(row.UpdatedAt),
	}
	d.Owner, d.Replays = row.Owner, row.Replays
	if row.Item.Operation != 0 {
		d.OperationID = strconv.FormatInt(row.Item.Operation, 10)
	}
	return d
}

// Reopen implements unwind.Service.
func (e *Engine) Reopen(ctx context.Context, dead string, req unwind.ReopenRequest) (*unwind.DeadLetter, error) {
	if err := checkReason("reopening dead letter "+dead, req.Reason); err != nil {
		return nil, err
	}
	ev := machine.Event{Kind: machine.Reopened, Actor: orAnonymous(req.Actor), Reason: req.Reason}
	return e.settle(ctx, dead, ev, audit(req.Actor, "reopen", dead, req.Reason, nil))
}

// Note implements unwind.Service.
func (e *Engine) Note(ctx context.Context, dead string, req unwind.NoteRequest) (*unwind.DeadLetter, error) {
	doing := "noting something about dead letter " + dead
	missing := ""
	if strings.TrimSpace(req.Owner) == "" {
		missing = "write what there is to know, or name an owner"
	}
	if err := checkWords(doing, "/text", req.Text, mostNote, missing); err != nil {
		return nil, err
	}
	if err := checkWords(doing, "/owner", req.Owner, mostOwner, ""); err != nil {
		return nil, err
	}
	did, err := parseDeadLetter(dead)
	if err != nil {
		return nil, err
	}
	now := int64(e.clock.now())
	a := audit(req.Actor, "note", dead, req.Text, map[string]any{"owner": req.Owner})
	a.At = now
	err = e.store.AddNote(ctx, e.epoch, did, store.Note{At: now, By: orAnonymous(req.Actor), Text: req.Text, Owner: req.Owner}, *a)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unwind.Errorf(unwind.NotFound, "there is no dead letter %s", dead)
	}
	if err != nil {
		return nil, failed(doing, err)
	}
	return e.DeadLetter(ctx, dead)
}
