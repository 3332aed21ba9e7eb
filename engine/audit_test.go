package engine_test

import (
	"testing"

	"github.com/unwindhq/unwind"
)

// G14: the audit costs sagas nothing: only what operators do is in it, one row each.
func TestOnlyOperatorsWriteTheAudit(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409", nil)
	count := func() int64 {
		t.Helper()
		head, err := w.AuditHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return head.Count
	}
	before := count()
	for _, key := range []string{"o-1", "o-2", "o-3"} {
		if saga := w.run(key); saga.Status != unwind.Compensated {
			t.Fatalf("saga %s is %s", key, saga.Status)
		}
	}
	if n := count(); n != before {
		t.Errorf("three sagas that were undone wrote %d rows", n-before)
	}
	paused := true
	if _, err := w.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Paused: &paused, Reason: "a \xff storm"}); err != nil {
		t.Fatal(err)
	}
	list, err := w.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if n := count(); err != nil || n != before+1 || list.Items[0].ID != n || list.Items[0].Reason != "a \uFFFD storm" {
		t.Errorf("after a pause there are %d rows, the last %+v, %v", n, list.Items, err)
	}
}
