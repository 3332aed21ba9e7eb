package participant

import "sync"

// working is the set of steps that this process works on. Its zero value is
// empty and ready for use.
type working struct {
	mu    sync.Mutex
	steps map[[2]string]struct{}
}

// begin adds a step, and reports false when it is there already.
func (w *working) begin(saga, step string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := [2]string{saga, step}
	if _, there := w.steps[at]; there {
		return false
	}
	if w.steps == nil {
		w.steps = map[[2]string]struct{}{}
	}
	w.steps[at] = struct{}{}
	return true
}

func (w *working) end(saga, step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.steps, [2]string{saga, step})
}

func (w *working) has(saga, step string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, there := w.steps[[2]string{saga, step}]
	return there
}
