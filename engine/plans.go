package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// plans keeps the compiled definitions. Every saga runs by the revision that it
// began with; the newest revision serves new starts.
type plans struct {
	store        store.Store
	participants map[string]unwind.Participant
	code         map[string]*unwind.Definition // given with Go functions, by name

	mu      sync.RWMutex
	byDigit map[[2]string]*machine.Plan // by name and version
	newest  map[string]*machine.Plan
}

func (p *plans) init(s store.Store, participants map[string]unwind.Participant, given []unwind.Definition) {
	p.store, p.participants = s, participants
	p.byDigit, p.newest = map[[2]string]*machine.Plan{}, map[string]*machine.Plan{}
	p.code = map[string]*unwind.Definition{}
	for i := range given {
		p.code[given[i].Name] = &given[i]
	}
}

// get returns the plan of a revision; the empty version is the newest.
func (p *plans) get(ctx context.Context, name, version string) (*machine.Plan, error) {
	p.mu.RLock()
	plan := p.byDigit[[2]string{name, version}]
	if version == "" {
		plan = p.newest[name]
	}
	p.mu.RUnlock()
	if plan != nil {
		return plan, nil
	}
	row, err := p.store.Definition(ctx, name, version)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unwind.Errorf(unwind.UnknownSaga, "there is no saga definition %q; declare it under sagas: or PUT /v1/definitions/%s", name, name)
	}
	if err != nil {
		return nil, unavailable(fmt.Sprintf("reading the definition of saga %q", name), err)
	}
	if plan, err = p.compile(&row); err != nil {
		return nil, err
	}
	p.keep(plan, version == "")
	return plan, nil
}

func (p *plans) keep(plan *machine.Plan, newest bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byDigit[[2]string{plan.Name, plan.Version}] = plan
	if newest {
		p.newest[plan.Name] = plan
	}
}

func (p *plans) compile(row *store.Definition) (*machine.Plan, error) {
	var def unwind.Definition
	if err := json.Unmarshal(row.Body, &def); err != nil {
		return nil, fmt.Errorf("reading the stored definition of saga %q: %w; the row is damaged", row.Name, err)
	}
	if err := p.bind(&def); err != nil {
		return nil, err
	}
	plan, err := machine.Compile(&def, p.participants)
	if err != nil {
		return nil, err
	}
	plan.Version = row.Version
	return plan, nil
}

// bind gives a stored definition its Go functions back.
func (p *plans) bind(def *unwind.Definition) error {
	given := p.code[def.Name]
	for i := range def.Steps {
		for _, c := range [...]*unwind.Call{def.Steps[i].Action, def.Steps[i].Compensation} {
			if c == nil || !c.Local || c.Func != nil {
				continue
			}
			if given != nil {
				c.Func = function(given, def.Steps[i].Name, c == def.Steps[i].Compensation)
			}
			if c.Func == nil {
				return fmt.Errorf("step %q of saga %q calls a Go function that this process does not have; give the definition with its functions in Config.Definitions", def.Steps[i].Name, def.Name)
			}
		}
	}
	return nil
}

func function(def *unwind.Definition, step string, undo bool) unwind.Func {
	for i := range def.Steps {
		s := &def.Steps[i]
		if s.Name != step {
			continue
		}
		if c := s.Action; !undo && c != nil {
			return c.Func
		}
		if c := s.Compensation; undo && c != nil {
			return c.Func
		}
	}
	return nil
}

// view returns the plan of a revision for looking at its sagas: it does not need
// the revision's functions and services to exist (any more).
func (p *plans) view(ctx context.Context, name, version string) (*machine.Plan, error) {
	plan, err := p.get(ctx, name, version)
	if err == nil || unwind.CodeOf(err) != unwind.Internal {
		return plan, err
	}
	row, err := p.store.Definition(ctx, name, version)
	if err != nil {
		return nil, unavailable(fmt.Sprintf("reading the definition of saga %q", name), err)
	}
	var def unwind.Definition
	if err := json.Unmarshal(row.Body, &def); err != nil {
		return nil, fmt.Errorf("reading the stored definition of saga %q: %w; the row is damaged", row.Name, err)
	}
	known := map[string]unwind.Participant{}
	for i := range def.Steps {
		for _, c := range [...]*unwind.Call{def.Steps[i].Action, def.Steps[i].Compensation} {
			if c != nil {
				known[c.Service] = p.participants[c.Service]
			}
		}
	}
	plan, err = machine.Compile(&def, known)
	if err != nil {
		return nil, err
	}
	plan.Version = row.Version
	return plan, nil
}
