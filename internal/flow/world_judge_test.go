package flow

import (
	"fmt"
	"slices"
)

// judge holds the books of a world against the limits: calls as they were
// granted against the rate, calls as they came in against the window.
func (w *world) judge() error {
	for _, sc := range w.scopes {
		l := w.limits[sc]
		if l.Rate.N > 0 {
			interval, tat := l.Rate.interval(), int64(0)
			for i, at := range w.granted[sc] {
				now := at < 0
				if at = max(at, -at); now {
					tat = max(tat, at) + interval
					continue
				}
				if early := tat - int64(l.Burst-1)*interval - at; early > 0 {
					return fmt.Errorf("%s: call %d at %dms is %dms early at one per %dms, burst %d", sc, i, at/ms, early/ms, interval/ms, l.Burst)
				}
				tat = max(tat, at) + interval
			}
		}
		if l.Window.N > 0 {
			at := slices.Clone(w.arrived[sc])
			slices.Sort(at)
			for i := int(l.Window.N); i < len(at); i++ {
				if span := at[i] - at[i-int(l.Window.N)]; span < l.Window.Per {
					return fmt.Errorf("%s: the receiver saw %d calls in %dms, the limit is %d in %dms", sc, l.Window.N+1, span/ms, l.Window.N, l.Window.Per/ms)
				}
			}
		}
	}
	return nil
}

// sound reports what the scheduler's own account lacks.
func (w *world) sound() error {
	if w.s == nil || w.r.IntN(40) > 0 {
		return nil
	}
	var f faulty
	check(&f, w.s)
	return f.err
}

// faulty keeps the first fault.
type faulty struct{ err error }

func (*faulty) Helper() {}

func (f *faulty) Fatalf(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (w *world) why() string {
	e, ok := w.s.Explain(w.tasks[0].Key, w.now)
	return fmt.Sprint(e, e.Until-w.now, ok)
}
