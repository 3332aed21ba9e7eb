package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// Stats implements [store.Store].
func (s *Store) Stats(ctx context.Context) (stats unwind.Stats, err error) {
	stats.Sagas = map[unwind.Status]int64{}
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, `SELECT running, compensating, completed, compensated, dead_lettered,
			(SELECT count(*) FROM dead_letter WHERE state = 'open'), (SELECT count(*) FROM task),
			(SELECT count(*) FROM alert WHERE id > alert_floor) FROM meta`, func(stmt *sqlite.Stmt) error {
			for phase := range phases {
				if n := stmt.ColumnInt64(phase); n != 0 {
					stats.Sagas[machine.Phase(phase).Status()] = n
				}
			}
			stats.DeadLettersOpen = stmt.ColumnInt64(phases)
			stats.Compensations = stmt.ColumnInt64(phases + 1)
			stats.AlertsPending = stmt.ColumnInt64(phases + 2)
			return nil
		})
	})
	if err != nil {
		return unwind.Stats{}, fmt.Errorf("counting what is stored: %w", err)
	}
	return stats, nil
}
