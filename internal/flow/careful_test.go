package flow

import "testing"

// fed is a lane whose limit is 200/s, in slow start, with the clock of who feeds it.
type fed struct {
	adaptive
	now  int64
	last uint64 // the number of the last call
}

func newFed() *fed {
	f := &fed{now: 1000 * second}
	f.limited(true, 200*perCall)
	return f
}

// takes feeds it so many calls that are accepted, so far apart.
func (f *fed) takes(calls int, apart int64) *fed {
	for range calls {
		f.now += apart
		f.last++
		f.worked(f.last, false, 5*ms, f.now)
	}
	return f
}

// refuses a call that comes so much later.
func (f *fed) refuses(after int64) *fed {
	f.now += after
	f.last++
	f.throttled(f.last, f.last, false, 0, f.now)
	return f
}

func TestOnlyTwoEarlyRefusalsMakeALaneCareful(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, again int
		late         int64 // how much later the second refusal comes
		careful      bool
	}{
		{"at the latest", 19, 11, 0, true},
		{"at the soonest", 6, 0, 0, true},
		{"too few calls to tell", 5, 0, 0, false},
		{"the first one late", 20, 0, 0, false},
		{"the second one late", 6, 12, 0, false},
		{"the second one in another second", 6, 0, second, false},
	} {
		f := newFed().takes(c.first, 20*ms).refuses(20 * ms)
		if f.careful {
			t.Errorf("%s: careful after one refusal", c.name)
		}
		if f.takes(c.again, 20*ms).refuses(20*ms + c.late); f.careful != c.careful {
			t.Errorf("%s: careful is %v", c.name, f.careful)
		}
	}
}

// What slow start finds later, of a service that was found before, tells nothing of others.
func TestOnlyTheFirstSlowStartMakesALaneCareful(t *testing.T) {
	f := newFed().takes(earlyCalls, 20*ms).refuses(20 * ms)
	f.slow, f.seek = true, false
	if f.takes(foundCalls, 20*ms).refuses(20 * ms).refuses(20 * ms); f.careful {
		t.Error("careful after another slow start")
	}
}

func TestACarefulLaneBeginsAtAPartOfWhatWasTaken(t *testing.T) {
	for _, c := range []struct {
		first, again int
		share        int64 // in hundredths, of the 50/s that came
	}{{foundCalls, 2, carefulLeast}, {earlyCalls - 1, 1, 50}} {
		f := newFed().takes(c.first, 20*ms).refuses(10*ms).takes(c.again, 10*ms).refuses(10 * ms)
		if want := f.mean() * c.share / 100; f.rate != want || f.peak != want*100/keep || !f.seek {
			t.Errorf("after %d calls: it searches (%v) from %d to %d, want %d", c.first, f.seek, f.rate, f.peak, want)
		}
	}
	f := newFed().takes(earlyCalls-1, 10*ms).refuses(10*ms).takes(againCalls-1, 80*ms).refuses(80 * ms)
	if most := f.mean() * 75 / 100; !f.careful || f.rate >= most {
		t.Errorf("it begins at %d, which is more than was left of it", f.rate)
	}
}

// mean is the rate at which calls came so far, the one that was refused among them.
func (f *fed) mean() int64 {
	return scale(f.count*perCall, second, f.now-f.times[0])
}

func TestACarefulLaneSearchesByCalls(t *testing.T) {
	for _, c := range []struct{ rate, by int64 }{{10 * perCall, carefulSearch * second / 10}, {100 * perCall, search}} {
		a := adaptive{careful: true, seek: true, rate: c.rate, peak: c.rate}
		if a.seekOn(20 * ms); a.rate != c.rate+scale(c.rate, 20*ms, c.by) {
			t.Errorf("%d/s: it grows by %d", c.rate/perCall, a.rate-c.rate)
		}
	}
}

// What it may have more of, far beyond the peak, is searched for; others begin at once with
// slow start. What was seen of the service as it was says nothing of it as it is.
func TestACarefulLaneSearchesForNewCapacity(t *testing.T) {
	for _, careful := range []bool{true, false} {
		a := adaptive{careful: careful, rate: 12 * perCall, peak: 10 * perCall, excess: plenty, age: 1000 * second, window: second, edge: perCall}
		a.grow(20 * ms)
		if a.seek != careful || a.slow == careful || a.edge != 0 || a.window != 0 {
			t.Errorf("careful %v: search %v, slow start %v, edge %d, window %d", careful, a.seek, a.slow, a.edge, a.window)
		}
	}
}

// Far beyond its peak it begins anew, and is careful no more once that is refused.
func TestACarefulLaneThatFindsMuchMoreIsAsOthers(t *testing.T) {
	f := newFed()
	f.slow, f.seek, f.careful, f.mark = false, true, true, 1
	f.rate, f.peak, f.last = 29*perCall, 10*perCall, 1
	if f.takes(1, 20*ms); f.slow {
		t.Error("slow start below three times the peak")
	}
	f.rate = 30 * perCall
	if f.takes(1, 20*ms); !f.slow || f.seek {
		t.Errorf("beyond three times the peak: slow start %v, search %v", f.slow, f.seek)
	}
	if f.takes(foundCalls, 20*ms).refuses(20 * ms); f.careful || f.slow {
		t.Errorf("refused there: careful %v, slow start %v", f.careful, f.slow)
	}
}

// The end of a search leaves less to a careful lane, and to no other; later refusals leave
// what they leave to any.
func TestTheEndOfACarefulSearchLeavesLess(t *testing.T) {
	refused := func(careful, seek bool) *fed {
		f := newFed()
		f.slow, f.seek, f.careful, f.mark, f.since = false, seek, careful, 1, f.now
		f.rate, f.peak, f.last = 50*perCall, 45*perCall, 1
		f.takes(60, 20*ms)
		f.rate = 50 * perCall
		return f.refuses(20 * ms)
	}
	for _, c := range []struct{ careful, seek, less bool }{{true, true, true}, {true, false, false}, {false, true, false}} {
		f := refused(c.careful, c.seek)
		if less := f.peak <= 50*perCall*carefulEdge/100; less != c.less {
			t.Errorf("careful %v, search %v: the peak is %d", c.careful, c.seek, f.peak)
		}
		if most := f.peak * keep / 100; c.less && f.rate > most {
			t.Errorf("it goes on at %d, want %d", f.rate, most)
		}
	}
}
