package sqlite

import (
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// names are the dictionaries of what many rows mention: names (of nodes, targets
// and saga types) and the definitions that sagas began with. The writer adds to
// them; readers find in them whatever their rows mention, because a name is added
// before the row that mentions it is committed.
type names struct {
	mu    sync.RWMutex
	texts map[int64]string
	defs  map[int64]definition
	ofs   map[string]int64     // texts by name
	ids   map[definition]int64 // defs by what they name

	// The writer's, until its transaction ends.
	newTexts, newDefs []int64
}

type definition struct{ name, version string }

func newNames() *names {
	return &names{
		texts: map[int64]string{}, defs: map[int64]definition{},
		ofs: map[string]int64{}, ids: map[definition]int64{},
	}
}

// load reads the dictionaries anew.
func (n *names) load(conn *sqlite.Conn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.texts)
	clear(n.ofs)
	clear(n.defs)
	clear(n.ids)
	err := each(conn, "SELECT id, text FROM name", func(s *sqlite.Stmt) error {
		n.texts[s.ColumnInt64(0)] = s.ColumnText(1)
		n.ofs[s.ColumnText(1)] = s.ColumnInt64(0)
		return nil
	})
	if err != nil {
		return err
	}
	return each(conn, "SELECT id, name, version FROM def", func(s *sqlite.Stmt) error {
		d := definition{s.ColumnText(1), s.ColumnText(2)}
		n.defs[s.ColumnInt64(0)] = d
		n.ids[d] = s.ColumnInt64(0)
		return nil
	})
}

// text returns the name that a row mentions.
func (n *names) text(id int64) (string, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	text, ok := n.texts[id]
	if !ok {
		return "", fmt.Errorf("there is no name %d: %w", id, store.ErrDamaged)
	}
	return text, nil
}

// definition returns the definition that a row mentions.
func (n *names) definition(id int64) (definition, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	d, ok := n.defs[id]
	if !ok {
		return definition{}, fmt.Errorf("there is no definition %d: %w", id, store.ErrDamaged)
	}
	return d, nil
}

// known returns the id of a name, if it has one.
func (n *names) known(text string) (int64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	id, ok := n.ofs[text]
	return id, ok
}

// forget drops what a transaction added that was rolled back.
func (n *names) forget() {
	if len(n.newTexts)+len(n.newDefs) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range n.newTexts {
		delete(n.ofs, n.texts[id])
		delete(n.texts, id)
	}
	for _, id := range n.newDefs {
		delete(n.ids, n.defs[id])
		delete(n.defs, id)
	}
	n.keep()
}

// keep ends a transaction that was committed.
func (n *names) keep() { n.newTexts, n.newDefs = n.newTexts[:0], n.newDefs[:0] }

// name returns the id of a name, and adds it where it is new.
func (w *writer) name(text string) (int64, error) {
	if id, ok := w.names.known(text); ok {
		return id, nil
	}
	w.insertName.BindText(1, text)
	if err := exec(w.insertName); err != nil {
		return 0, fmt.Errorf("adding the name %q: %w", text, err)
	}
	id := w.conn.LastInsertRowID()
	n := w.names
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts[id], n.ofs[text] = text, id
	n.newTexts = append(n.newTexts, id)
	return id, nil
}

// def returns the id of a definition, and adds it where it is new.
func (w *writer) def(d definition) (int64, error) {
	n := w.names
	n.mu.RLock()
	id, ok := n.ids[d]
	n.mu.RUnlock()
	if ok {
		return id, nil
	}
	w.insertDef.BindText(1, d.name)
	w.insertDef.BindText(2, d.version)
	if err := exec(w.insertDef); err != nil {
		return 0, fmt.Errorf("adding the definition %q: %w", d.name, err)
	}
	id = w.conn.LastInsertRowID()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.defs[id], n.ids[d] = d, id
	n.newDefs = append(n.newDefs, id)
	return id, nil
}
