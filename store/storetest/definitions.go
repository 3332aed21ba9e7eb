package storetest

import (
	"errors"

	"github.com/unwindhq/unwind/store"
)

func (s *scene) define(name, version, by string) bool {
	s.Helper()
	d := s.revision(name, version, by)
	d.CreatedAt = s.tick()
	return must(s.PutDefinition(s.Context(), s.epoch, d, store.Audit{At: s.now, Actor: by, Action: "put", Target: name}))(s)
}

// revision is what define stores, without its time.
func (s *scene) revision(name, version, by string) store.Definition {
	return store.Definition{Name: name, Version: version, Body: []byte(`{"steps":["` + version + `"]}`), CreatedAt: s.now, By: by}
}

func (s *scene) definition(name, version string) store.Definition {
	s.Helper()
	return must(s.Definition(s.Context(), name, version))(s)
}

func newestRevisionServes(s *scene) {
	s.define("place-order", "A", "ada")
	a := s.revision("place-order", "A", "ada")
	s.is("the newest", s.definition("place-order", ""), a)
	s.define("place-order", "B", "bob")
	b := s.revision("place-order", "B", "bob")
	s.is("the newest", s.definition("place-order", ""), b)
	s.is("the older one, by its version", s.definition("place-order", "A"), a)
	s.is("all", must(s.Definitions(s.Context()))(s), []store.Definition{b})
}

func puttingTheNewestAgainChangesNothing(s *scene) {
	s.is("whether the first put changed anything", s.define("place-order", "A", "ada"), true)
	before := s.observe()
	s.is("whether the second put did", s.define("place-order", "A", "bob"), false)
	s.is("what is stored", s.observe(), before)
}

// A bad revision is taken back by putting the good one again.
func olderRevisionBecomesTheNewestAnew(s *scene) {
	s.define("place-order", "A", "ada")
	s.define("place-order", "B", "bob")
	s.is("whether going back changes anything", s.define("place-order", "A", "eve"), true)
	a := s.revision("place-order", "A", "eve")
	s.is("the newest", s.definition("place-order", ""), a)
	s.is("the revision that is back", s.definition("place-order", "A"), a)
	s.is("the one that is not", s.definition("place-order", "B").By, "bob")
	s.is("all", must(s.Definitions(s.Context()))(s), []store.Definition{a})
	s.is("how many audit rows there are", len(s.observe().Audit), 3)
	s.is("whether going forth changes anything", s.define("place-order", "B", "bob"), true)
	s.is("the newest", s.definition("place-order", "").Version, "B")
}

func definitionsAreListedByName(s *scene) {
	var versions []string
	for _, name := range []string{"refund", "Refund", "place-order", "place", "ö"} {
		s.define(name, name+" 1", "ada")
	}
	s.define("place", "place 2", "ada")
	for _, d := range must(s.Definitions(s.Context()))(s) {
		versions = append(versions, d.Version)
	}
	s.is("all", versions, []string{"Refund 1", "place 2", "place-order 1", "refund 1", "ö 1"})
}

func unknownDefinitionsAreNotFound(s *scene) {
	s.is("the definitions of an empty store", must(s.Definitions(s.Context()))(s), []store.Definition{})
	s.define("place-order", "A", "ada")
	for _, d := range [][2]string{{"refund", ""}, {"place-order", "B"}, {"refund", "A"}, {"", ""}} {
		if _, err := s.Definition(s.Context(), d[0], d[1]); !errors.Is(err, store.ErrNotFound) {
			s.Errorf("finding %q: %v", d, err)
		}
	}
}
