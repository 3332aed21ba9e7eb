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
		return nil, failed(fmt.Sprintf("reading the definition of saga %q", name), err)
	}
	if plan, err = p.compile(&row, version == ""); err != nil {
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

// compile resolves a stored definition. Where it is not for new starts, a service
// may be missing (by now): the calls to it are faults of the set-up, and wait for it
// to be declared again, while the saga's others go on.
func (p *plans) compile(row *store.Definition, starts bool) (*machine.Plan, error) {
	def, err := definitionOf(row)
	if err != nil {
		return nil, err
	}
	if err := p.bind(def); err != nil {
		return nil, err
	}
	participants := p.participants
	if !starts {
		participants = p.known(def)
	}
	return compile(row, def, participants)
}

func definitionOf(row *store.Definition) (*unwind.Definition, error) {
	def := new(unwind.Definition)
	if err := json.Unmarshal(row.Body, def); err != nil {
		return nil, damagedDefinition(row, err)
	}
	return def, nil
}

func damagedDefinition(row *store.Definition, err error) error {
	return unwind.Errorf(unwind.Damaged, "reading the stored definition of saga %q: %w; put it anew, or restore the store from a backup", row.Name, err)
}

func compile(row *store.Definition, def *unwind.Definition, participants map[string]unwind.Participant) (*machine.Plan, error) {
	plan, err := machine.Compile(def, participants)
	if err != nil {
		return nil, unwind.Errorf(unwind.Internal, "%w", err)
	}
	plan.Version = row.Version
	return plan, nil
}

// known is the participants of a definition, as far as they are declared.
func (p *plans) known(def *unwind.Definition) map[string]unwind.Participant {
	known := map[string]unwind.Participant{}
	for i := range def.Steps {
		for _, c := range [...]*unwind.Call{def.Steps[i].Action, def.Steps[i].Compensation} {
			if c != nil {
				known[c.Service] = p.participants[c.Service]
			}
		}
	}
	return known
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
				return unwind.Errorf(unwind.Internal, "step %q of saga %q calls a Go function that this process does not have; give the definition with its functions in Config.Definitions", def.Steps[i].Name, def.Name)
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
// the revision's functions to exist (any more).
func (p *plans) view(ctx context.Context, name, version string) (*machine.Plan, error) {
	plan, err := p.get(ctx, name, version)
	if err == nil || unwind.CodeOf(err) != unwind.Internal {
		return plan, err
	}
	row, err := p.store.Definition(ctx, name, version)
	if err != nil {
		return nil, failed(fmt.Sprintf("reading the definition of saga %q", name), err)
	}
	def, err := definitionOf(&row)
	if err != nil {
		return nil, err
	}
	return compile(&row, def, p.known(def))
}
