package sqlite

import (
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/storetest"
)

// Whatever of a saga can't be read: the others can.
func TestDamagedRows(t *testing.T) {
	for name, change := range map[string]string{
		"what it began with":   "UPDATE saga SET fixed = x'01' WHERE rid = ?",
		"whose row it is":      "UPDATE saga SET fixed = zeroblob(60) WHERE rid = ?",
		"where it stands":      "UPDATE saga SET hot = x'ffffffff' WHERE rid = ?",
		"its phase":            "UPDATE saga SET phase = 9 WHERE rid = ?",
		"its journal":          "UPDATE journal SET body = x'05ff' WHERE seq = (SELECT count(*) FROM saga WHERE rid <= ?)",
		"its journal, cut off": "UPDATE journal SET body = substr(body, 1, 20) WHERE seq = (SELECT count(*) FROM saga WHERE rid <= ?)",
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunDamage(t, func(t *testing.T) (store.Store, func(id.ID)) {
				s := opened(t, t.TempDir())
				return s, func(saga id.ID) {
					err := s.write(t.Context(), s.writer.epoch, func(w *writer) error {
						w.heads.forget(saga)
						return each(w.conn, change, nil, saga.Sequence())
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
