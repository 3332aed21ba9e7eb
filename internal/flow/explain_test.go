package flow

// ExplainTarget says what a task at the head of the target would wait for,
// for the transcripts.
func (s *Scheduler) ExplainTarget(name Target, now int64) Explanation {
	return s.binding(s.target(name, now), nil, now)
}
