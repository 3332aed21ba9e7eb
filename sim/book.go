package sim

// A book is what a participant has written down about one direction of a step.
type book struct {
	sends      int // by the engine
	generation uint32
	sent       int64  // when the last call left
	atWork     int    // calls that have come in and are not answered yet
	doubt      bool   // the engine has heard an answer that leaves it open
	closed     uint32 // attempts up to this one are over by a completion
	attempt    uint32 // the last that was sent
	word       bool   // the last answer that it heard says itself that it is a refusal
	records    []record
	fate       fate
	thrown     bool // the fate is known
}

// A fate is what a participant will say to a call, for reasons of its business.
type fate uint8

const (
	willDo fate = iota
	willRefuse
	willFindInvalid
)

// A record is one key that a participant knows.
type record struct {
	generation uint32
	state      recordState
	sha        string
	first      int64 // when the key came first
	output     string
	until      int64 // working: when it is done
	refuses    bool  // working: it will come to nothing
	telling    int   // completions that nobody has acknowledged or given up: nobody forgets what it is still telling
}

type recordState uint8

const (
	working  recordState = iota // asynchronously, or slowly
	done                        // carried out
	refused                     // for good
	invalid                     // for good
	withheld                    // a compensation or an operator was here before
)

func (w *world) book(at place) *book {
	b := w.books[at]
	if b == nil {
		b = &book{}
		w.books[at] = b
	}
	return b
}

// find returns what is known of a key; nil: nothing, or nothing any more.
func (w *world) find(b *book, generation uint32, k *kind) *record {
	for i := range b.records {
		r := &b.records[i]
		if r.generation != generation {
			continue
		}
		if life := int64(k.KeyLifetime / 1000); life > 0 && w.now > r.first+life && r.state != working && r.telling == 0 && !k.barrier && !w.plan.Swarm.Has(ClockStep) {
			b.records = append(b.records[:i], b.records[i+1:]...)
			return nil
		}
		return r
	}
	return nil
}

func (b *book) note(r record) *record {
	for i := range b.records {
		if b.records[i].generation == r.generation {
			b.records[i] = r
			return &b.records[i]
		}
	}
	b.records = append(b.records, r)
	return &b.records[len(b.records)-1]
}

// fateOf throws the dice for a call's business once.
func (w *world) fateOf(at place, b *book) fate {
	if b.thrown {
		return b.fate
	}
	b.thrown = true
	d := dice(w.plan.Seed, 4, uint64(w.sagas[at.saga].Label), uint64(at.step), uint64(at.dir))
	on, percent := Refuse, 14
	if at.dir == 1 {
		on, percent = RefuseUndo, 12
	}
	if !w.plan.Swarm.Has(on) || !d.percent(percent) {
		return willDo
	}
	w.counts[on]++
	b.fate = willRefuse
	if d.percent(40) {
		b.fate = willFindInvalid
	}
	return b.fate
}

// effects are what stands of a saga's step: 1 after its action, 0 after that was
// undone.
type effects struct {
	stands  int
	output  string
	undone  bool // its compensation was carried out
	settled bool // by hand
}

func (w *world) effect(at place) *effects {
	at.dir = 0
	e := w.standing[at]
	if e == nil {
		e = &effects{}
		w.standing[at] = e
	}
	return e
}
