package flow

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// However many tenants have tasks in the store, what is in memory of one service
// stays small, and all of it drains.
func TestManyTenantsShareTheHeads(t *testing.T) {
	const tenants, each = 2000, 100
	s := New(Config{Durable: true})
	target := Target{"shop", Compensation}
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}, 0)
	left := map[Queue]int{}
	key := TaskKey{Lane: Compensation}
	made := uint64(0)
	for i := range tenants {
		q := Queue{Target: target, SagaType: "order", Tenant: fmt.Sprint(i), Class: Normal}
		left[q] = each
		s.Refill(q, nil, 0, 0)
	}
	sent, most := 0, 0
	for {
		for {
			name, room, ok := s.Short(0)
			if !ok {
				break
			}
			var tasks []Task
			for range min(room, left[name]) {
				made++
				binary.BigEndian.PutUint64(key.Saga[:], made)
				tasks = append(tasks, Task{Key: key, Target: target, SagaType: name.SagaType, Tenant: name.Tenant, Class: name.Class})
			}
			rest := int64(Never)
			if left[name] > len(tasks) {
				rest = 0
			}
			left[name] -= s.Refill(name, tasks, rest, 0)
		}
		most = max(most, s.index.n)
		_, g, ok := s.Next(0)
		if !ok {
			break
		}
		sent++
		s.Done(g, Feedback{Outcome: OK}, 0)
	}
	if sent != tenants*each {
		t.Errorf("%d of %d drained", sent, tenants*each)
	}
	if most > tenants*fewestHeads+sharedHeads {
		t.Errorf("%d tasks were in memory at once", most)
	}
	for now := s.Timed(); now != Never; now = s.Timed() {
		s.Next(now)
	}
	if n := s.queuePool.used(); n > 0 {
		t.Errorf("%d queues are left in memory", n)
	}
}
