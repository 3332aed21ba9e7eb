package history_test

import (
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A writer makes good histories, as an engine that keeps its promises would.
type writer struct {
	h     history.History
	rand  func(n int) int // 0 to n-1
	now   history.Micros
	saga  string
	seq   int64
	epoch int64
}

var stepNames = []string{"reserve", "charge", "label", "ship"}

func newWriter(rand func(n int) int) *writer {
	def := &unwind.Definition{Name: "order"}
	services := map[string]history.Service{}
	for _, name := range stepNames {
		def.Steps = append(def.Steps, unwind.Step{
			Name: name, Action: &unwind.Call{Service: name, Path: "/do"}, Compensation: &unwind.Call{Service: name, Path: "/undo"},
		})
		services[name] = history.Service{Participant: unwind.Participant{URL: "http://" + name, Compensation: unwind.Limits{Rate: unwind.PerSecond(1000), Concurrency: 10}}}
	}
	return &writer{rand: rand, epoch: 1, h: history.History{Definitions: history.Definitions{
		Sagas: map[string]*unwind.Definition{"order": def}, Services: services, Options: history.Options{Complete: true},
	}}}
}

func (w *writer) pass(us int) { w.now += history.Micros(us) }

func (w *writer) client(l history.Line) {
	l.T, l.Node = w.now, "shop"
	w.h.Client = append(w.h.Client, l)
}

func (w *writer) journal(kind, step string, dir unwind.Direction, attempt int, d *history.Data) {
	w.seq++
	w.h.Engine = append(w.h.Engine, history.Line{
		T: w.now, Node: "a", Epoch: w.epoch, Event: history.Journal, Saga: w.saga, Seq: w.seq, Kind: kind, Step: step, Direction: dir, Attempt: attempt, Data: d,
	})
}

func (w *writer) beside(l history.Line) {
	l.T, l.Node, l.Saga = w.now, "a", w.saga
	w.h.Engine = append(w.h.Engine, l)
}

// answers are what a call may come to, by HTTP status.
var answers = map[int]struct {
	outcome history.Outcome
	entry   string
	data    history.Data
}{
	200: {outcome: history.OK, entry: "succeeded"},
	409: {outcome: history.Fail, entry: "failed", data: history.Data{Class: unwind.ClassRefused, Counted: true}},
	429: {outcome: history.Fail, entry: "throttled", data: history.Data{Class: unwind.ClassThrottled}},
	500: {outcome: history.Unknown, entry: "failed", data: history.Data{Class: unwind.ClassUncertain, Counted: true, MayHaveExecuted: true}},
}

// call has one call made, after some throttling and faults, with a final status.
func (w *writer) call(step string, dir unwind.Direction, attempt, final, trouble int, wait history.Micros) int {
	key := fmt.Sprintf("%s/%s/%s", w.saga, step, dir)
	w.journal(string(dir)+"_ordered", step, dir, attempt, &history.Data{NotBefore: w.now + wait})
	w.now += wait
	status := final
	if trouble > 0 {
		status = []int{429, 500}[w.rand(2)]
	}
	a := answers[status]
	w.pass(500 + w.rand(1000))
	in := history.Line{T: w.now, Node: step, Event: history.Invoke, Saga: w.saga, Step: step, Direction: dir, Attempt: attempt, Key: key, BodySHA: history.SHA([]byte(key))}
	w.pass(500 + w.rand(1000))
	out := in
	out.T, out.Event, out.Outcome, out.Status = w.now, history.Return, a.outcome, status
	w.h.Participants = append(w.h.Participants, in, out)
	w.pass(500)
	d := a.data
	if status != 200 {
		d.Status = status
	}
	w.journal(string(dir)+"_"+a.entry, step, dir, attempt, &d)
	switch status {
	case 429:
		return w.call(step, dir, attempt, final, trouble-1, 2_000_000)
	case 500:
		return w.call(step, dir, attempt+1, final, trouble-1, 10_000_000)
	}
	return attempt
}

// run writes a saga whose step fails is refused; len(stepNames): none. With dead,
// a compensation dies and an operator replays it.
func (w *writer) run(n, fails int, dead bool) {
	w.saga, w.seq = fmt.Sprintf("saga-%03d", n), 0
	start := history.Line{Event: history.Invoke, Op: history.OpStart, Name: "order", RequestKey: "key-" + w.saga, InputSHA: "in"}
	w.client(start)
	w.pass(300)
	w.journal(unwind.EntrySagaStarted, "", "", 0, &history.Data{Key: "key-" + w.saga, InputSHA: "in"})
	w.h.Engine[len(w.h.Engine)-1].Name = "order"
	ack := start
	ack.Event, ack.Outcome, ack.Status, ack.Saga, ack.SagaStatus = history.Return, history.OK, 201, w.saga, unwind.Running
	w.client(ack)
	for i, step := range stepNames {
		if i == fails {
			w.call(step, unwind.Action, 1, 409, 0, 0)
			w.turnBack(i, dead)
			return
		}
		w.call(step, unwind.Action, 1, 200, w.rand(3), 0)
	}
	w.end(unwind.Completed)
}

func (w *writer) end(s unwind.Status) {
	w.journal(unwind.EntrySagaEnded, "", "", 0, &history.Data{Ended: s})
	get := history.Line{Event: history.Return, Op: history.OpGet, Saga: w.saga, Outcome: history.OK, Status: 200, SagaStatus: s}
	w.pass(1000)
	w.client(get)
	w.pass(1000)
}

func (w *writer) turnBack(from int, dead bool) {
	w.journal(unwind.EntrySagaCompensating, "", "", 0, &history.Data{Cause: "refused"})
	died, attempt := "", 0
	for i := from - 1; i >= 0; i-- {
		if dead && died == "" {
			died = stepNames[i]
			attempt = w.call(died, unwind.Compensation, 1, 409, w.rand(2), 0)
			w.journal(unwind.EntryDeadLettered, died, unwind.Compensation, attempt, &history.Data{Class: unwind.ClassRefused, Group: "g"})
			w.beside(history.Line{Event: history.Alert, Step: died})
			continue
		}
		w.call(stepNames[i], unwind.Compensation, 1, 200, w.rand(3), 0)
	}
	if died == "" {
		w.end(unwind.Compensated)
		return
	}
	w.end(unwind.DeadLettered)
	w.pass(3_600_000_000)
	w.journal(unwind.EntryReplayed, died, unwind.Compensation, 0, &history.Data{Actor: "ops", Reason: "repaired"})
	w.beside(history.Line{Event: history.Audit, Op: history.OpReplay, Step: died, Direction: unwind.Compensation})
	w.call(died, unwind.Compensation, attempt+1, 200, 0, 0)
	w.end(unwind.Compensated)
}
