package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func (w *writer) setControl(c *store.Control) error {
	stmt := w.putControl
	if c.Empty() {
		stmt = w.dropControl
		bind(stmt, string(c.Scope.Kind), c.Scope.Name, c.Scope.Tenant)
	} else {
		bind(stmt, string(c.Scope.Kind), c.Scope.Name, c.Scope.Tenant, c.Paused, c.Settings, c.Reason, c.By, c.At)
	}
	if err := exec(stmt); err != nil {
		return fmt.Errorf("setting the control of %s: %w", c.Scope, err)
	}
	return nil
}

func (w *writer) setFlow(f *store.FlowState) error {
	stmt := w.putFlow
	if len(f.Body) == 0 {
		stmt = w.dropFlow
		bind(stmt, string(f.Scope.Kind), f.Scope.Name, f.Scope.Tenant)
	} else {
		bind(stmt, string(f.Scope.Kind), f.Scope.Name, f.Scope.Tenant, f.Body)
	}
	if err := exec(stmt); err != nil {
		return fmt.Errorf("keeping the flow control of %s: %w", f.Scope, err)
	}
	return nil
}

func readScope(stmt *sqlite.Stmt) unwind.Scope {
	return unwind.Scope{Kind: unwind.ScopeKind(stmt.ColumnText(0)), Name: stmt.ColumnText(1), Tenant: stmt.ColumnText(2)}
}

// Controls implements [store.Store].
func (s *Store) Controls(ctx context.Context) (controls []store.Control, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, "SELECT kind, name, tenant, paused, settings, reason, by, at FROM control ORDER BY 1, 2, 3", func(stmt *sqlite.Stmt) error {
			controls = append(controls, store.Control{
				Scope: readScope(stmt), Paused: stmt.ColumnBool(3), Settings: columnBytes(stmt, 4, nil),
				Reason: stmt.ColumnText(5), By: stmt.ColumnText(6), At: stmt.ColumnInt64(7),
			})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading what operators have set: %w", err)
	}
	return controls, nil
}

// FlowStates implements [store.Store].
func (s *Store) FlowStates(ctx context.Context) (states []store.FlowState, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, "SELECT kind, name, tenant, body FROM flow ORDER BY 1, 2, 3", func(stmt *sqlite.Stmt) error {
			states = append(states, store.FlowState{Scope: readScope(stmt), Body: columnBytes(stmt, 3, nil)})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the states of flow control: %w", err)
	}
	return states, nil
}
