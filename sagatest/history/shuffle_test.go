package history_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/sagatest/history"
)

// mangle does something senseless to the lines of one log.
func mangle(t *rapid.T, lines []history.Line) []history.Line {
	if len(lines) == 0 {
		return lines
	}
	i, j := rapid.IntRange(0, len(lines)-1).Draw(t, "i"), rapid.IntRange(0, len(lines)-1).Draw(t, "j")
	a, b := &lines[i], &lines[j]
	switch rapid.IntRange(0, 9).Draw(t, "mangle") {
	case 0:
		return slices.Delete(lines, i, i+1)
	case 1:
		return slices.Insert(lines, i, *b)
	case 2:
		a.T, b.T = b.T, a.T
	case 3:
		a.Seq, b.Seq = b.Seq, a.Seq
	case 4:
		a.Kind, b.Kind = b.Kind, a.Kind
	case 5:
		a.Step, b.Step = b.Step, a.Step
	case 6:
		a.Saga, b.Saga = b.Saga, a.Saga
	case 7:
		a.Direction, b.Direction = b.Direction, a.Direction
	case 8:
		a.Data, b.Data = b.Data, a.Data
	case 9:
		*a = history.Line{T: a.T, Node: a.Node, Event: history.Cut}
	}
	return lines
}

// Whatever the lines are, the checker answers: with a report or with an error.
func TestNoHistoryIsTooOddToJudge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := goodHistory(t)
		h.Options = history.Options{Complete: rapid.Bool().Draw(t, "complete"), Skew: unwind.Duration(rapid.IntRange(0, 10).Draw(t, "skew")) * unwind.Second}
		for range rapid.IntRange(1, 8).Draw(t, "times") {
			switch rapid.IntRange(0, 3).Draw(t, "log") {
			case 0:
				h.Client = mangle(t, h.Client)
			case 1:
				h.Participants = mangle(t, h.Participants)
			default:
				h.Engine = mangle(t, h.Engine)
			}
		}
		_, _ = history.Check(h)
	})
}
