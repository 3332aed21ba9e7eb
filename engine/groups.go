package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// countGroups returns the groups of dead letters.
func (e *Engine) countGroups(ctx context.Context) ([]store.DeadLetterGroup, error) {
	rows, err := e.store.DeadLetterGroups(ctx)
	if err != nil {
		return nil, failed("counting the groups of dead letters", err)
	}
	return rows, nil
}

// DeadLetterGroups implements unwind.Service.
func (e *Engine) DeadLetterGroups(ctx context.Context, f unwind.GroupFilter) (unwind.List[unwind.DeadLetterGroup], error) {
	list := unwind.List[unwind.DeadLetterGroup]{Items: []unwind.DeadLetterGroup{}}
	after, err := parseGroupCursor(f.Cursor)
	if err != nil {
		return list, err
	}
	rows, err := e.countGroups(ctx)
	if err != nil {
		return list, err
	}
	rows = slices.DeleteFunc(rows, func(g store.DeadLetterGroup) bool { return !selects(&f, &g) })
	slices.SortFunc(rows, func(a, b store.DeadLetterGroup) int { return groupPlaceOf(&a).compare(groupPlaceOf(&b)) })
	services, err := e.Participants(ctx)
	if err != nil {
		return list, err
	}
	limit := store.PageLimit(f.Limit)
	for i := range rows {
		if after != nil && groupPlaceOf(&rows[i]).compare(*after) <= 0 {
			continue
		}
		if len(list.Items) == limit {
			list.NextCursor = groupPlaceOf(&rows[i-1]).String()
			break
		}
		list.Items = append(list.Items, deadLetterGroup(&rows[i], services))
	}
	return list, nil
}

func selects(f *unwind.GroupFilter, g *store.DeadLetterGroup) bool {
	n := map[unwind.DeadLetterState]int64{
		"": 1, unwind.DeadLetterOpen: g.Open, unwind.DeadLetterReplaying: g.Replaying,
		unwind.DeadLetterReplayed: g.Replayed, unwind.DeadLetterResolved: g.Resolved,
	}[f.State]
	return n > 0 && (f.Saga == "" || f.Saga == g.Sample.SagaType) && (f.Service == "" || f.Service == g.Sample.Service)
}

func deadLetterGroup(g *store.DeadLetterGroup, services []unwind.ServiceState) unwind.DeadLetterGroup {
	d := &g.Sample
	out := unwind.DeadLetterGroup{
		Group: g.Group, Saga: d.SagaType, Step: d.StepName, Direction: d.Direction, Service: d.Service, Error: d.Error,
		Open: g.Open, Replaying: g.Replaying, Replayed: g.Replayed, Resolved: g.Resolved, FailedAgain: g.FailedAgain,
		NewestAt: unwind.TimeFromMicros(g.Newest), AmountAtRisk: json.RawMessage(g.AtRisk.String()), AmountsLeftOut: g.AtRisk.Odd,
	}
	if g.Open+g.Replaying > 0 {
		t := unwind.TimeFromMicros(g.Oldest)
		out.OldestAt = &t
	}
	if lane := laneOf(services, d.Service, d.Direction); lane != nil {
		out.Breaker, out.Gate, out.Paused = lane.Breaker.State, lane.Gate, lane.Paused
	}
	return out
}

// laneOf is the lane that calls of a service in a direction go through, or nil.
func laneOf(services []unwind.ServiceState, name string, dir unwind.Direction) *unwind.LaneState {
	for i := range services {
		if s := &services[i]; s.Name == name {
			if dir == unwind.Compensation {
				return &s.Lanes.Compensation
			}
			return &s.Lanes.Forward
		}
	}
	return nil
}

// A groupPlace is a group's place in the list: those with most open ones first,
// then the latest.
type groupPlace struct {
	open, newest int64
	group        string
}

func groupPlaceOf(g *store.DeadLetterGroup) groupPlace { return groupPlace{g.Open, g.Newest, g.Group} }

func (p groupPlace) compare(o groupPlace) int {
	return cmp.Or(cmp.Compare(o.open, p.open), cmp.Compare(o.newest, p.newest), cmp.Compare(p.group, o.group))
}

const groupCursor = "g"

func (p groupPlace) String() string {
	return groupCursor + strconv.FormatInt(p.open, 10) + "." + strconv.FormatInt(p.newest, 10) + "." + p.group
}

func parseGroupCursor(text string) (*groupPlace, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nil is the beginning
	}
	var p groupPlace
	parts := strings.SplitN(strings.TrimPrefix(text, groupCursor), ".", 3)
	if len(parts) == 3 {
		var err, err2 error
		p.open, err = strconv.ParseInt(parts[0], 10, 64)
		p.newest, err2 = strconv.ParseInt(parts[1], 10, 64)
		if p.group = parts[2]; err == nil && err2 == nil && p.String() == text {
			return &p, nil
		}
	}
	return nil, unwind.Errorf(unwind.InvalidRequest, "listing the groups of dead letters: the cursor %q is not one of this list; use next_cursor as it came", text)
}
