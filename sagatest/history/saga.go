package history

import "github.com/unwindhq/unwind"

// A saga is everything that the logs say about one.
type saga struct {
	id      string
	plan    *plan
	journal []*Line // by seq, without repeats
	seen    []*Line // of the participants, by time
	sent    []*Line // calls as the engine made them
	client  []*Line
	audits  []*Line
	alerts  []*Line
	steps   []step

	// holed: journal lines may be missing, so that the journal proves little.
	holed bool
	// cutOff: its last lines may be missing.
	cutOff  bool
	flagged uint32
	started *Line
	turned  *Line
	rest    *Line // the end, while at rest
	lastEnd *Line
	rests   []rest
	acts    []*Line // operators', by seq
	early   []early
}

// A rest is a time in which a saga makes no call. To is nil while it lasts.
type rest struct{ from, to *Line }

// early: step i was compensated before its descendant j.
type early struct {
	i, j int
	line *Line
}

// A step is where one stands.
type step struct {
	done *Line // its success, by answer or resolution
	side [2]side
}

// A side is one direction of a step.
type side struct {
	flagged uint32
	// From the journal.
	orders    []*Line  // calls, not questions to the status path
	leaves    []Micros // beside orders: no send lies before
	last      *Line    // the last order of either
	out       bool     // it has no answer yet
	awaiting  bool
	asked     bool   // its status path was asked at some time
	answer    *Line  // the last
	uncertain *Line  // the last order that may have executed unknown to the engine
	accepted  bool   // an asynchronous call is worked on
	sentBy    Micros // when that was sent at the latest
	takenBack *Line  // the last order that was taken back for a question
	counted   int    // answers that count
	fresh     int    // of them since the last replay
	allowed   int    // attempts
	raised    int    // generations that operators granted
	operator  bool   // replayed since the last order
	hastened  bool   // an operator had it sent ahead of its time
	ok        *Line  // its success
	resolved  *Line
	dead      *Line   // open dead letter
	everDead  *Line   // the first dead letter
	failures  []*Line // counted answers

	// From the participants.
	invokes, returns []*Line
	bodies           []body
}

// A body is what one generation of a call was sent with.
type body struct {
	generation int
	key, sha   *Line
}

// begin gives the saga its plan.
func (s *saga) begin(p *plan) {
	s.plan = p
	s.steps = make([]step, len(p.steps))
	for i := range s.steps {
		for d := range s.steps[i].side {
			s.steps[i].side[d].allowed = p.steps[i].side[d].retry.Attempts
		}
	}
}

// began is when the saga was started; 0 where no line says so.
func (s *saga) began() Micros {
	if s.started == nil {
		return 0
	}
	return s.started.T
}

// place finds the step and direction of a line.
func (s *saga) place(l *Line) (i, d int) { return s.plan.step(l.Step), sideOf(l.Direction) }

func (s *saga) at(i, d int) *side { return &s.steps[i].side[d] }

// stands is the saga's state by its journal.
func (s *saga) stands() unwind.Status {
	switch {
	case s.started == nil:
		return ""
	case s.rest != nil:
		return s.rest.data().Ended
	case s.lastEnd != nil && s.openDead() != nil && !s.busy():
		return s.lastEnd.data().Ended
	case s.turned != nil:
		return unwind.Compensating
	}
	return unwind.Running
}

func (s *saga) openDead() *Line {
	for i := range s.steps {
		for d := range s.steps[i].side {
			if l := s.steps[i].side[d].dead; l != nil {
				return l
			}
		}
	}
	return nil
}

func (s *saga) busy() bool {
	for i := range s.steps {
		for d := range s.steps[i].side {
			if sd := &s.steps[i].side[d]; sd.out || sd.awaiting {
				return true
			}
		}
	}
	return false
}
