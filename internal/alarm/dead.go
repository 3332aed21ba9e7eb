package alarm

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// minute is over what dead letters are counted.
const minute = 60_000_000

// deadLetters raises one alert for each cause, while more are open than may be.
func (l *look) deadLetters() {
	var open, unsettled, first int64
	for i := range l.Groups {
		g := &l.Groups[i]
		open, unsettled = open+g.Open, unsettled+g.Open+g.Replaying
		if g.Open+g.Replaying > 0 {
			first = oldest(first, g.Oldest)
		}
	}
	bound := int64(l.rules.DeadLetters)
	for i := range l.Groups {
		g := &l.Groups[i]
		l.judge(g.Open > 0 && open > bound, g.Open+g.Replaying == 0 || unsettled <= bound, &store.Alert{
			Kind: unwind.AlertDeadLetter, Key: Key(unwind.AlertDeadLetter, g.Name), Service: g.Service,
			Message: strconv.FormatInt(g.Open, 10) + " dead letters of step " + g.Step + " of saga " + g.Saga + " are open: " + g.Message,
			Data:    details("saga", g.Saga, "step", g.Step, "group", g.Name),
		}, "none of its dead letters is open")
	}
	if len(l.Groups) < store.MaxGroups { // beyond that some are not seen
		for _, key := range slices.Sorted(maps.Keys(l.firing)) {
			if l.firing[key].Kind == unwind.AlertDeadLetter {
				l.end(key, "none of its dead letters is left")
			}
		}
	}
	age := l.Now - first
	l.judge(first > 0 && age > micros(l.rules.DeadLetterAge), true, &store.Alert{
		Kind: unwind.AlertDeadLetterAge, Key: unwind.AlertDeadLetterAge,
		Message: "the oldest of " + strconv.FormatInt(unsettled, 10) + " dead letters has been open for " + span(age).String() + "; more than " + l.rules.DeadLetterAge.String() + " is too long",
	}, "no dead letter is that old")
}

// growth judges how many died within a minute. It is over at half the bound.
func (l *look) growth() {
	if len(l.died) == 0 { // the process counts from 0
		l.died = append(l.died, sample{at: l.Now})
	}
	l.died = append(l.died, sample{l.Now, l.Died})
	for len(l.died) > 1 && l.died[1].at <= l.Now-minute {
		l.died = l.died[1:]
	}
	grown := l.Died - l.died[0].died
	l.judge(grown > int64(l.rules.PerMinute), l.watched() && 2*grown <= int64(l.rules.PerMinute), &store.Alert{
		Kind: unwind.AlertDeadLetterGrowth, Key: unwind.AlertDeadLetterGrowth,
		Message: strconv.FormatInt(grown, 10) + " dead letters within a minute; more than " + strconv.Itoa(l.rules.PerMinute) + " mean that a cause is at work",
	}, "dead letters have stopped growing")
}

// amounts judges what the dead letters of each saga type put at risk.
func (l *look) amounts() {
	if l.rules.Amount <= 0 {
		return
	}
	bound := new(big.Rat).SetFloat64(l.rules.Amount)
	sums := map[string]*big.Rat{}
	for i := range l.Groups {
		g := &l.Groups[i]
		n, ok := new(big.Rat).SetString(g.AtRisk.String())
		if !ok {
			continue
		}
		if sum := sums[g.Saga]; sum != nil {
			n.Add(n, sum)
		}
		sums[g.Saga] = n
	}
	for _, saga := range slices.Sorted(maps.Keys(sums)) {
		sum := sums[saga]
		l.judge(sum.Cmp(bound) > 0, true, &store.Alert{
			Kind: unwind.AlertAmount, Key: Key(unwind.AlertAmount, saga), Data: details("saga", saga),
			Message: "the dead letters of saga " + saga + " put " + decimal(sum) + " at risk; more than " + decimal(bound) + " is too much",
		}, "the dead letters of saga "+saga+" put "+decimal(sum)+" at risk")
	}
}

// decimal writes a number without the zeros at its end.
func decimal(n *big.Rat) string {
	text := n.FloatString(8)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// details are what an alert says beside its message: names and values in turn.
func details(of ...string) []byte {
	m := make(map[string]string, len(of)/2)
	for i := 0; i < len(of); i += 2 {
		m[of[i]] = of[i+1]
	}
	b, _ := json.Marshal(m) // texts always marshal, in the order of their names
	return b
}
