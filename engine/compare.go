package engine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// journalWord is what the journal says of one call; empty: it is not compared. What
// is ordered or not begun the engine finds out by itself, unless it is on hold. What
// an operator has settled by hand is no word of the service's.
func journalWord(s *machine.State, step int, dir unwind.Direction, onHold bool) unwind.JournalWord {
	word := actionWord(s, &s.Steps[step])
	if dir == unwind.Compensation {
		word = undoWord(s, &s.Steps[step])
	}
	if !onHold && (word == unwind.JournalOrdered || word == unwind.JournalNotBegun) {
		return ""
	}
	return word
}

func actionWord(s *machine.State, st *machine.Step) unwind.JournalWord {
	undone := st.Comp == machine.CompDone || st.Comp == machine.CompResolved
	switch {
	case st.Dead:
		return unwind.JournalDead
	case st.Status == machine.StepSucceeded:
		return unwind.JournalDone
	case st.Action.Ordered || st.Status == machine.StepAwaiting:
		return unwind.JournalOrdered
	case st.Action.Uncertain && !undone:
		return unwind.JournalUncertain
	case st.Status == machine.StepPending && s.Phase == machine.Running:
		return unwind.JournalNotBegun
	}
	return ""
}

func undoWord(s *machine.State, st *machine.Step) unwind.JournalWord {
	switch st.Comp {
	case machine.CompDone:
		return unwind.JournalUndone
	case machine.CompDead:
		return unwind.JournalDead
	case machine.CompResolved:
		return ""
	case machine.CompQueued, machine.CompAwaiting:
		return unwind.JournalOrdered
	case machine.CompPending:
		return unwind.JournalNotBegun
	}
	if s.Phase == machine.Running {
		return unwind.JournalNotBegun
	}
	return ""
}

// meaningOf says what it means that a service says something else than the journal;
// empty: they agree. docs/restore.md has it as a table.
func meaningOf(word unwind.JournalWord, dir unwind.Direction, says unwind.StatusOutcome) string {
	done, working := says == unwind.StatusDone, says == unwind.StatusInProgress
	switch word {
	case unwind.JournalDone, unwind.JournalUndone:
		switch {
		case done:
			return ""
		case working:
			return "the journal counts it as " + string(word) + ", and the service is still at it"
		case word == unwind.JournalDone:
			return "the journal counts on it, and the service has not done it"
		}
		return "the step counts as undone, and the service has not undone it"
	case unwind.JournalUncertain:
		switch {
		case done:
			return "it took effect, and nothing has undone it"
		case working:
			return "it may take effect yet, and nothing has undone it"
		}
	case unwind.JournalDead:
		switch {
		case done:
			return "it was given up, and the service has done it: resolve the dead letter"
		case working:
			return "it was given up, and the service is still at it: wait before the dead letter is decided"
		}
	case unwind.JournalOrdered:
		if done {
			return "the service has done it, and the journal does not know yet: it is called again under the same key"
		}
	case unwind.JournalNotBegun:
		switch {
		case done && dir == unwind.Compensation:
			return "the service has undone the step after this journal was written, and the saga knows nothing of that: cancel it"
		case done, working:
			return "the service was called after this journal was written: it is called again under the same key when its turn comes"
		}
	}
	return ""
}
