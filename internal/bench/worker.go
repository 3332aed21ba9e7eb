package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
)

// A worker is a child that writes to stores, or runs sagas of Go functions in an
// engine of its own.
type worker struct {
	ctx    context.Context
	engine *engine.Engine
	store  *counting
}

// RunWorker is the child.
func RunWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	stop, err := Profile()
	if err != nil {
		return err
	}
	defer stop()
	w := &worker{ctx: ctx}
	err = Converse(in, out, Ready{}, w.handle)
	return errors.Join(err, w.close()) //nolint:contextcheck // closing goes on after the context has ended
}

// What a worker can be asked, and what it answers.
type (
	commitTask struct {
		Kind, Path        string
		Size, Transitions int
	}
	fillTask struct {
		Path, Prefix string
		Sagas        int
	}
	openTask struct{ Path string }
	runTask  struct {
		Prefix         string
		Clients, Sagas int
	}
	runResult struct {
		result
		Commits, Transitions int64 // of the store meanwhile
		CPU                  time.Duration
	}
)

func (w *worker) handle(req Request) (any, error) {
	switch req.Do {
	case "commit":
		return with(req, w.commit)
	case "fill":
		return with(req, w.fill)
	case "owe":
		return with(req, w.owe)
	case "open":
		return with(req, w.open)
	case "run":
		return with(req, w.run)
	case "close":
		return nil, w.close()
	}
	return Control(req)
}

func with[T any](req Request, do func(T) (any, error)) (any, error) {
	var task T
	if err := json.Unmarshal(req.With, &task); err != nil {
		return nil, fmt.Errorf("reading the task: %w", err)
	}
	return do(task)
}

// commit writes to a store that nobody else uses.
func (w *worker) commit(t commitTask) (any, error) {
	s, err := openStore(w.ctx, t.Kind, t.Path)
	if err != nil {
		return nil, err
	}
	var r result
	var took time.Duration
	load, err := newWriter(w.ctx, s, "commit")
	for err == nil && r.Count < t.Transitions {
		var n int
		var d time.Duration
		n, d, err = load.write(w.ctx, t.Size, (t.Size+3)/4)
		r.Count, took = r.Count+n, took+d
	}
	r.Seconds = took.Seconds()
	return r, errors.Join(err, s.Close())
}

// fill puts finished sagas into a store.
func (w *worker) fill(t fillTask) (any, error) {
	s, err := openStore(w.ctx, "sqlite", t.Path)
	if err != nil {
		return nil, err
	}
	load, err := newWriter(w.ctx, s, t.Prefix)
	if err == nil {
		err = load.finish(w.ctx, t.Sagas)
	}
	return nil, errors.Join(err, s.Close())
}

func (w *worker) open(t openTask) (any, error) {
	s, err := openStore(w.ctx, "sqlite", t.Path)
	if err != nil {
		return nil, err
	}
	w.store = &counting{Store: s}
	w.engine, err = engine.Open(w.ctx, engine.Config{
		Store: w.store, Definitions: []unwind.Definition{local()}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return nil, nil
}

// run starts sagas and waits for the end of each.
func (w *worker) run(t runTask) (any, error) {
	commits, transitions, cpu := w.store.commits.Load(), w.store.transitions.Load(), processTime("self")
	r, err := closedLoop(w.ctx, t.Clients, t.Sagas, func() func(int) error {
		return func(n int) error {
			inst, _, err := w.engine.Start(w.ctx, unwind.StartRequest{Saga: saga, Key: t.Prefix + strconv.Itoa(n), Input: input, Wait: 30 * unwind.Second})
			if err == nil && inst.Status != unwind.Completed {
				err = fmt.Errorf("saga %s is %s", inst.ID, inst.Status)
			}
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	return runResult{*r, w.store.commits.Load() - commits, w.store.transitions.Load() - transitions, processTime("self") - cpu}, nil
}

func (w *worker) close() error {
	if w.engine == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 10*time.Second)
	defer cancel()
	err := w.engine.Close(ctx)
	w.engine = nil
	return err
}

// counting is a store whose commits are counted.
type counting struct {
	store.Store
	commits, transitions atomic.Int64
}

// Commit implements store.Store.
func (c *counting) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	c.commits.Add(1)
	c.transitions.Add(int64(len(b.Transitions)))
	return c.Store.Commit(ctx, b)
}
