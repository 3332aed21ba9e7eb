package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// writeExport writes what unwind audit export would of so many replays.
func writeExport(t *testing.T, path string, rows int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	buf := bufio.NewWriter(f)
	out := json.NewEncoder(buf)
	out.SetEscapeHTML(false)
	var head store.AuditHead
	for i := range rows {
		a := store.Audit{
			At: 1_790_000_000_000_000 + int64(i)*500, Actor: "ann", Action: "replay", Target: fmt.Sprintf("01a20600-0000-7000-8000-%012d.1.c", i),
			Reason: "the bank is <open> & mended", Data: []byte(`{"operation":17}`),
		}
		head = head.Append(&a)
		r := auditRow(&a)
		if err := out.Encode(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Encode(headLine{&unwind.AuditHead{ID: head.ID, Hash: hex.EncodeToString(head.Hash[:]), Count: head.Count}}); err != nil {
		t.Fatal(err)
	}
	if err := buf.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func auditRow(a *store.Audit) unwind.AuditRow {
	return unwind.AuditRow{
		ID: a.ID, At: unwind.TimeFromMicros(a.At), Actor: a.Actor, Action: a.Action, Target: a.Target, Reason: a.Reason, Data: a.Data,
		Previous: hex.EncodeToString(a.Previous[:]), Hash: hex.EncodeToString(a.Hash[:]),
	}
}

func TestFigureAMillionExportedRowsAreVerified(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes and verifies 1,000,000 rows, some 5 s; make figures runs it")
	}
	const rows, most = 1_000_000, 10 * time.Second
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	writeExport(t, file, rows)
	begin := time.Now()
	c := launch(t, "audit", "verify", file)
	if code := c.wait(); code != 0 || !strings.HasPrefix(c.stdout.String(), "1000000 rows, unbroken") {
		t.Fatalf("exit code %d: %s%s", code, c.stdout.String(), c.stderr.String())
	}
	usage := c.cmd.ProcessState
	took := usage.UserTime() + usage.SystemTime() // whatever else the machine has to do
	t.Logf("%d rows in %v: %v of processor time", rows, time.Since(begin).Round(time.Millisecond), took.Round(time.Millisecond))
	if took > most {
		t.Errorf("it took %v of processor time, and %v is the most", took, most)
	}
}
