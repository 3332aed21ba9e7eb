package storetest

import (
	"bytes"
	"math/rand/v2"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

func bigPayloadsAreKept(s *scene) {
	random := rand.New(rand.NewPCG(7, 7))
	payload := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	t := s.start("place-order", "", "ORD-1", "")
	t.Start.Input, t.State, t.Journal = payload(unwind.MaxInput), payload(64<<10), payload(256<<10)
	s.committed(t)
	saga := s.load(t.Saga)
	if !bytes.Equal(saga.Input, t.Start.Input) || !bytes.Equal(saga.State, t.State) || !bytes.Equal(saga.Journal[0].Body, t.Journal) {
		s.Errorf("of an input of %d bytes, a state of %d and a journal of %d came back %d, %d and %d, or other bytes",
			len(t.Start.Input), len(t.State), len(t.Journal), len(saga.Input), len(saga.State), len(saga.Journal[0].Body))
	}
}

// oddTexts are texts that come back changed, or match another, when a store
// quotes, folds, trims, collates or cuts.
var oddTexts = []string{
	`'`, `"`, `\`, `'; DROP TABLE sagas; --`, `%`, `_`, `*`, `?`, `$1`, `:a`, `{}`, `NULL`, `0`, `1e3`, `a`, `A`, ` a`, `a `, "a\n", "\t",
	"\x00", "a\x00", "a\x00b", "\u00e9", "e\u0301", "Straße", "STRASSE", "日本語", "🧾", "\ufeff", "\u202e", "\u200b", strings.Repeat("k", unwind.MaxKeyLength),
}

func oddTextIsKeptAndToldApart(s *scene) {
	b := &store.Batch{}
	for _, text := range oddTexts {
		t := s.start(text, text, text, text)
		t.Start.Version = text
		d := s.dead(t, 1, unwind.Action)
		d.SagaType, d.Tenant, d.StepName, d.Service, d.Key, d.Group, d.By, d.Reason, d.Evidence = text, text, text, text, text, text, text, text, text
		d.Error.Message = text
		t.DeadLetters = []store.DeadLetterChange{{Open: &d}}
		t.Tasks = []store.TaskChange{put(t, 1, store.Queue{Target: text, SagaType: text}, 1)}
		b.Transitions = append(b.Transitions, t)
		b.Controls = append(b.Controls, store.Control{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: text}, Paused: true, Reason: text, By: text})
		b.Alerts = append(b.Alerts, store.Alert{Kind: text, Key: text, Service: text, Message: text, Data: []byte(text)})
		b.Audit = append(b.Audit, store.Audit{Actor: text, Action: text, Target: text, Reason: text, Data: []byte(text)})
	}
	s.write(b)
	for i, text := range oddTexts {
		t := b.Transitions[i]
		s.is("the saga's start", s.load(t.Saga).Start, *t.Start)
		s.is("what the key began", s.findKey(text, text, text), store.Key{Saga: t.Saga})
		s.is("the sagas of the name", s.list(store.Filter{Name: text}), []id.ID{t.Saga})
		s.is("the sagas of the tenant", s.list(store.Filter{Tenant: text}), []id.ID{t.Saga})
		s.is("the sagas of the key", s.list(store.Filter{Key: text}), []id.ID{t.Saga})
		s.is("the queue", s.tasks(t.Tasks[0].Queue, 0), []store.Task{s.stored(t.Tasks[0])})
		s.is("the dead letters of the group", s.deadLetters(store.DeadLetterFilter{Group: text}), []store.DeadLetter{*t.DeadLetters[0].Open})
		s.is("whether the definition changed", must(s.PutDefinition(s.Context(), s.epoch, s.revision(text, text, text), store.Audit{}))(s), true)
		s.is("the definition", s.definition(text, text), s.revision(text, text, text))
	}
	o := s.observe()
	s.is("how many controls, queues and definitions there are", []int{len(o.Controls), len(o.Queues), len(o.Definitions)},
		[]int{len(oddTexts), len(oddTexts), len(oddTexts)})
	alerts := o.Pending
	for i := range alerts {
		alerts[i].ID = 0
		if b.Alerts[i].Key == "" {
			b.Alerts[i].ResolvedAt = 1
		}
	}
	s.is("the alerts", alerts, b.Alerts)
}

func numbersKeepTheirWholeRange(s *scene) {
	const most = 1<<63 - 1
	t := s.start("place-order", "", "ORD-1", `{}`)
	t.Start.KeyHash, t.Due, t.At = 1<<64-1, most, most
	t.Start.InputDigest = [32]byte{0, 0xff, 1}
	task := store.Task{Saga: t.Saga, Step: 1 << 20, Queue: store.Queue{Class: 255}, Generation: 1<<32 - 1, Attempt: 1<<32 - 1, Due: most, QueuedAt: most}
	d := store.DeadLetter{
		DeadLetterID: store.DeadLetterID{Saga: t.Saga, Step: 1 << 20, Direction: unwind.Action}, Attempts: 1 << 31, Throttled: 1 << 31,
		FirstAt: most, DeadAt: most, UpdatedAt: most, Error: unwind.CallError{Status: 599},
		State: unwind.DeadLetterOpen, Amount: "123456789012345678901234567890.12345678901234567890",
	}
	t.Tasks, t.DeadLetters = []store.TaskChange{{Task: task}}, []store.DeadLetterChange{{Open: &d}}
	s.committed(t)
	saga := s.load(t.Saga)
	s.is("the start", saga.Start, *t.Start)
	s.is("due and times", []int64{saga.Due, saga.CreatedAt, saga.UpdatedAt}, []int64{most, most, most})
	task.Epoch = s.epoch
	s.is("the task", s.tasks(task.Queue, 0), []store.Task{task})
	s.is("the dead letter", s.deadLetter(d.DeadLetterID), d)
	s.is("what is due", sagaIDs(s.claim(most-1, id.ID{}, most, 0)), []id.ID{t.Saga})
	s.is("what comes after it", s.claim(most, t.Saga, most, 0), []store.Saga{})
}

func storeKeepsAndGivesCopies(s *scene) {
	t := s.full(s.start("place-order", "", "ORD-1", `{"total":1}`))
	t.Alerts[0].Data, t.Audit.Data = []byte(`{"a":1}`), []byte(`{"b":1}`)
	s.committed(t)
	d := s.revision("place-order", "A", "ada")
	must(s.PutDefinition(s.Context(), s.epoch, d, store.Audit{Data: []byte(`{"c":1}`)}))(s)
	want := render(s.observe())
	// The caller reuses its buffers, and changes what it was given.
	scribble(t.Start.Input, t.State, t.Journal, t.Alerts[0].Data, t.Audit.Data, d.Body)
	t.Tasks[0].Attempt, t.DeadLetters[0].Open.Attempts, t.Start.Name, t.Start.InputDigest[0] = 77, 77, "other", 77
	o := s.observe()
	for _, sagas := range [][]store.Saga{o.Sagas, o.Listed, o.Due} {
		scribble(sagas[0].Input, sagas[0].State)
		for _, row := range sagas[0].Journal {
			scribble(row.Body)
		}
	}
	scribble(o.Journal[0].Body, o.Alerts[0].Data, o.Pending[0].Data, o.Audit[0].Data, o.Audit[1].Data, o.Definitions[0].Body)
	scribble(s.definition("place-order", "").Body)
	s.is("what is stored", difference(render(s.observe()), want), "")
	s.is("the key's next start", s.commit(s.start("place-order", "", "ORD-1", `{"total":1}`))[0], store.Result{Outcome: store.Duplicate, Saga: t.Saga})
}

func scribble(buffers ...[]byte) {
	for _, b := range buffers {
		for i := range b {
			b[i] = '#'
		}
	}
}
