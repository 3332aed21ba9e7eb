package store

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func trail(n int) (rows []Audit, heads []AuditHead) {
	var head AuditHead
	for i := range n {
		a := Audit{At: int64(i), Actor: "ada", Action: "pause", Target: "service payments", Reason: "wrong currency", Data: []byte(`{"n":1}`)}
		head = head.Append(&a)
		rows, heads = append(rows, a), append(heads, head)
	}
	return rows, heads
}

// The encoding is a promise to everybody who checks an export by himself.
func TestTheSumOfAnAuditRowStaysTheSame(t *testing.T) {
	rows, _ := trail(2)
	const want = "c28ae13de6330267f7425be64421e83448408c9b716e6944565af4872c316d3b" // from another program
	if got := hex.EncodeToString(rows[1].Hash[:]); got != want {
		t.Errorf("the hash of the second row is %s, and was %s", got, want)
	}
}

// G14: every byte of a row counts, and where one text ends and the next begins.
func TestEveryFieldOfAnAuditRowIsInItsSum(t *testing.T) {
	base := Audit{ID: 1, At: 2, Actor: "ab", Action: "c", Target: "d", Reason: "e", Data: []byte("f")}
	changes := map[string]func(*Audit){
		"id": func(a *Audit) { a.ID++ }, "at": func(a *Audit) { a.At++ }, "actor": func(a *Audit) { a.Actor = "x" },
		"action": func(a *Audit) { a.Action = "x" }, "target": func(a *Audit) { a.Target = "x" }, "reason": func(a *Audit) { a.Reason = "" },
		"data": func(a *Audit) { a.Data = nil }, "previous": func(a *Audit) { a.Previous[31] = 1 },
		"the border of two texts": func(a *Audit) { a.Actor, a.Action = "a", "bc" },
	}
	for name, change := range changes {
		other := base
		if change(&other); other.Sum() == base.Sum() {
			t.Errorf("%s is not in the sum", name)
		}
	}
}

// G14: edits, deletions, reordering and truncation are found, and the row is named.
func TestTheCheckNamesTheRowThatIsWrong(t *testing.T) {
	rechain := func(rows []Audit, from int) {
		var head AuditHead
		if from > 0 {
			head = AuditHead{ID: rows[from-1].ID, Hash: rows[from-1].Hash}
		}
		for i := from; i < len(rows); i++ {
			head = head.Append(&rows[i])
		}
	}
	for name, c := range map[string]struct {
		change func([]Audit) []Audit
		want   []string
	}{
		"nothing": {func(r []Audit) []Audit { return r }, nil},
		"an edit": {func(r []Audit) []Audit { r[3].Actor = "eve"; return r }, []string{"row 4 was changed: what it says"}},
		"an edit with its hash": {func(r []Audit) []Audit {
			r[3].Actor = "eve"
			r[3].Hash = r[3].Sum()
			return r
		}, []string{"row 4 was changed or replaced: row 5 holds another hash"}},
		"an edit of the last row with its hash": {func(r []Audit) []Audit {
			r[9].Actor = "eve"
			r[9].Hash = r[9].Sum()
			return r
		}, []string{"row 10 has another hash than the head"}},
		"an edit and all that follows": {func(r []Audit) []Audit {
			r[3].Actor = "eve"
			rechain(r, 3)
			return r
		}, []string{"row 10 has another hash than the head"}},
		"a deletion":                {func(r []Audit) []Audit { return slices.Delete(r, 3, 5) }, []string{"rows 4 to 5 are missing"}},
		"a deletion of the first":   {func(r []Audit) []Audit { return r[1:] }, []string{"row 1 is missing"}},
		"a deletion that is hidden": {func(r []Audit) []Audit { r = slices.Delete(r, 3, 4); rechain(r, 3); return r }, []string{"row 10 is missing"}},
		"a reordering":              {func(r []Audit) []Audit { r[3], r[4] = r[4], r[3]; return r }, []string{"row 4 is missing", "row 4 stands behind row 5"}},
		"a reordering of what they say": {func(r []Audit) []Audit {
			r[3].Reason, r[4].Target, r[4].Reason = "x", "y", "z"
			return r
		}, []string{"row 4 was changed", "row 5 was changed"}},
		"a truncation": {func(r []Audit) []Audit { return r[:7] }, []string{"rows 8 to 10 are missing"}},
		"an end":       {func([]Audit) []Audit { return nil }, []string{"rows 1 to 10 are missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			rows, heads := trail(10)
			check := AuditCheck{Known: heads[9:]}
			var faults []AuditFault
			for _, a := range c.change(rows) {
				faults = append(faults, check.Next(&a)...)
			}
			faults = append(faults, check.End()...)
			if len(faults) != len(c.want) {
				t.Fatalf("the faults are %v, want %q", faults, c.want)
			}
			for i, f := range faults {
				if !strings.HasPrefix(f.Message, c.want[i]) {
					t.Errorf("fault %d is %q, want %q", i, f.Message, c.want[i])
				}
			}
		})
	}
}
