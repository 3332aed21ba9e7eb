package node

import (
	"container/heap"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
)

// timerHeap orders the sagas in memory by their next timer.
type timerHeap []*saga

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, k int) bool { return h[i].timerAt < h[k].timerAt }
func (h timerHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].timerPos, h[k].timerPos = i, k
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	sg := x.(*saga) //nolint:errcheck // the heap holds nothing else
	sg.timerPos = len(*h)
	*h = append(*h, sg)
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	old := *h
	sg := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	sg.timerPos = -1
	return sg
}

// setTimer puts the saga where its next timer belongs.
func (n *Node) setTimer(sg *saga) {
	t, ok := machine.NextTimer(sg.Plan, &sg.State)
	if !ok {
		n.clearTimer(sg)
		return
	}
	n.moveTimer(sg, t.At)
}

func (n *Node) moveTimer(sg *saga, at machine.Micros) {
	switch {
	case sg.timerPos < 0:
		sg.timerAt = at
		heap.Push(&n.timers, sg)
	case sg.timerAt != at:
		sg.timerAt = at
		heap.Fix(&n.timers, sg.timerPos)
	}
}

func (n *Node) clearTimer(sg *saga) {
	if sg.timerPos >= 0 {
		heap.Remove(&n.timers, sg.timerPos)
	}
}

// retryTimer is how long a timer waits that can't be acted on yet.
const retryTimer = 1_000_000

func (n *Node) fireTimers(m Moment) {
	for len(n.timers) > 0 && n.timers[0].timerAt <= m.Now {
		sg := n.timers[0]
		t, ok := machine.NextTimer(sg.Plan, &sg.State)
		switch {
		case !ok:
			n.clearTimer(sg)
			continue
		case t.At > m.Now:
			n.moveTimer(sg, t.At)
			continue
		}
		n.fire(m, sg, t)
	}
}

// fire tells the machine that a time has come, and what became of the order that
// it is about.
func (n *Node) fire(m Moment, sg *saga, t machine.Timer) {
	ev := machine.Event{Kind: t.Kind, Step: t.Step, Dir: t.Dir}
	if t.Kind == machine.TimerFired {
		o := n.orders[taskKey(sg.ID, t.Step, t.Dir)]
		if !n.takeBack(o, m) && !planted.On(planted.GiveUpInFlight) {
			n.moveTimer(sg, m.Now+retryTimer) // it is in flight: its answer decides
			return
		}
		ev.Resent = sg.resent // an order that is still in the store may have been sent before
		if o != nil {
			ev.Resent = o.resent
		}
	}
	before := sg.State.Version
	n.apply(m, sg, ev, nil)
	if n.sagas[sg.ID] == sg && sg.State.Version == before {
		n.moveTimer(sg, m.Now+retryTimer) // nothing came of it; never spin
		sg.behind = true
		n.catchUp(m, sg)
	}
}

// takeBack takes an order, if there is one, out of its queue; false: it is in flight.
func (n *Node) takeBack(o *order, m Moment) bool {
	if o == nil {
		return true
	}
	if o.state == orderQueued && n.sched.Remove(o.key, nanos(m.Now)) {
		n.forget(o)
		return true
	}
	return false
}

func taskKey(saga [16]byte, step int, dir unwind.Direction) flow.TaskKey {
	k := flow.TaskKey{Saga: saga, Step: uint16(step)}
	if dir == unwind.Compensation {
		k.Lane = flow.Compensation
	}
	return k
}
