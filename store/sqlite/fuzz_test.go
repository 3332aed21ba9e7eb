package sqlite

import (
	"bytes"
	"slices"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

func FuzzRow(f *testing.F) {
	h := hot{updated: 1, epoch: 2, head: 3, state: []byte("state")}
	x := fixed{id: id.ID{1}, created: 4, first: 5, def: 6, tenant: "acme", key: "ORD-1"}
	f.Add(h.append(nil))
	f.Add(x.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHot(b); err == nil {
			again, err := decodeHot(h.append(nil))
			if err != nil || again.updated != h.updated || again.epoch != h.epoch || again.head != h.head || !bytes.Equal(again.state, h.state) {
				t.Errorf("%+v was read back as %+v: %v", h, again, err)
			}
		}
		if x, err := decodeFixed(b); err == nil {
			if again, err := decodeFixed(x.append(nil)); err != nil || again != x {
				t.Errorf("%+v was read back as %+v: %v", x, again, err)
			}
		}
	})
}

func FuzzSegment(f *testing.F) {
	ids := id.NewSource(nil, nil)
	start := store.Transition{Saga: ids.New(0), Version: 1, At: 7, Journal: []byte("[]"), Start: &store.Start{KeyHash: 1, Input: []byte("{}")}}
	next := store.Transition{Saga: start.Saga, Version: 2, At: 9, Journal: []byte("[1]")}
	b, _ := appendEntry(nil, nil, 0, 0, 8, &start)
	b, _ = appendEntry(b, nil, 1, 3, 8, &next)
	f.Add(b, start.Saga.Sequence(), uint64(2))
	f.Fuzz(func(t *testing.T, b []byte, rid int64, version uint64) {
		s := segment{seq: 9, at: 8, body: b}
		if e, err := s.find(rid, version); err == nil && (e.rid != rid || e.version != version) {
			t.Errorf("version %d of %d was found as %d of %d", version, rid, e.version, e.rid)
		}
		kept, err := s.without(nil, map[int64]bool{})
		if err == nil && !bytes.Equal(kept, b) {
			t.Errorf("taking none out of %x leaves %x", b, kept)
		}
		kept, err = s.without(nil, map[int64]bool{rid: true})
		if err != nil {
			return
		}
		if _, err := (&segment{body: kept}).find(rid, version); err == nil {
			t.Error("an entry that was taken out is still there")
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(appendKey(appendKey(nil, keyEntry{1, 2}), keyEntry{3, 4}), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, hash uint64) {
		n := 0
		if eachKey(b, func(keyEntry) { n++ }) != nil {
			return
		}
		if found := findInBlock(b, hash, nil); len(found) > n {
			t.Errorf("%d rows were found among %d", len(found), n)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(store.SagaCursor.At(1))
	f.Add(store.DeadLetterCursor.At(1, 2, 3, 1))
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		for list, n := range map[store.Cursor]int{store.SagaCursor: 1, store.DeadLetterCursor: 4, store.JournalCursor: 2} {
			if at, err := list.Parse(text, n); err == nil && list.At(at...) != text {
				t.Errorf("%q was read as %v", text, at)
			}
		}
	})
}

// FuzzStoredRows puts garbage where the store's blobs are. Every method may fail
// on it, and none may panic.
func FuzzStoredRows(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint8(1))
	f.Add(slices.Repeat([]byte{1}, 200), uint8(2))
	f.Fuzz(func(t *testing.T, garbage []byte, where uint8) {
		s := opened(t, t.TempDir())
		defer closed(t, s)
		l := newLoad(t, s)
		l.step(8)
		l.step(8)
		saga := l.live[0].saga
		target := []string{
			"UPDATE saga SET hot = ?", "UPDATE saga SET fixed = ?", "UPDATE journal SET body = ?",
			"UPDATE key_log SET body = ?", "UPDATE saga SET phase = 200, hot = ?", "INSERT INTO key_block VALUES (300, ?)",
			"UPDATE journal SET node = 99, epoch = -1, body = body || ?", "UPDATE saga SET version = version + 1000000 + length(?)",
		}[where%8]
		if err := each(s.writer.conn, target, nil, garbage); err != nil {
			t.Fatal(err)
		}
		s.writer.heads.clear()
		ctx := t.Context()
		// Only a panic or a hang is a failure here.
		_, _ = s.Load(ctx, saga)
		_, _, _ = s.List(ctx, store.Filter{})
		_, _ = s.ClaimDue(ctx, 0, id.ID{}, 1<<60, 10)
		_, _, _ = s.Journal(ctx, "", 10)
		_, _ = s.FindKey(ctx, "acme", "place-order", "order-1")
		end := store.Transition{Saga: saga, Version: 3, Phase: uint8(machine.Completed), SetDue: true, Due: store.AtRest}
		again := l.batch[len(l.batch)-1]
		again.Saga = l.ids.New(0)
		_, _ = s.Commit(ctx, &store.Batch{Epoch: l.epoch, Transitions: []store.Transition{end, again}})
		_, _ = s.Purge(ctx, l.epoch, 1<<60, 0, 10)
		_, _ = s.FindKey(ctx, "acme", "place-order", "order-1")
		_, _ = s.Join(ctx, "node-b")
	})
}
