package store

import "fmt"

// An AuditCheck follows an audit from its first row to its last and says where the
// chain is broken. The zero value is before the first row.
type AuditCheck struct {
	// Known are heads that were kept elsewhere, which the audit must pass through.
	// Only they show that its tail was cut off, or that all of it was written anew.
	Known []AuditHead
	// Head is the end of what was followed so far.
	Head AuditHead

	changed bool // the last row was told of
}

// An AuditFault is a place where the audit is not what was written.
type AuditFault struct {
	// Row is the ID of the row that was changed, is missing or stands elsewhere.
	Row     int64  `json:"row"`
	Message string `json:"message"`
}

func fault(row int64, format string, args ...any) AuditFault {
	return AuditFault{row, fmt.Sprintf(format, args...)}
}

// Next takes the next row.
func (c *AuditCheck) Next(a *Audit) (faults []AuditFault) {
	if a.ID <= c.Head.ID {
		return []AuditFault{fault(a.ID, "row %d stands behind row %d: the order was changed, or the row was written twice", a.ID, c.Head.ID)}
	}
	changed := a.Sum() != a.Hash
	switch {
	case a.ID > c.Head.ID+1:
		faults = append(faults, missing(c.Head.ID+1, a.ID-1))
	case changed || c.changed || a.Previous == c.Head.Hash:
	case a.ID == 1:
		faults = append(faults, fault(1, "row 1 is not the first that was written: it holds the hash of one before"))
	default:
		faults = append(faults, fault(c.Head.ID, "row %d was changed or replaced: row %d holds another hash of it", c.Head.ID, a.ID))
	}
	if changed {
		faults = append(faults, fault(a.ID, "row %d was changed: what it says does not give its hash", a.ID))
	}
	for _, k := range c.Known {
		if k.ID == a.ID && k.Hash != a.Hash {
			faults = append(faults, fault(a.ID, "row %d has another hash than the head that was kept: it or a row before it was changed, and those behind it were written anew", a.ID))
		}
	}
	c.changed = changed
	c.Head = AuditHead{ID: a.ID, Hash: a.Hash, Count: c.Head.Count + 1}
	return faults
}

// End says what is missing behind the last row.
func (c *AuditCheck) End() (faults []AuditFault) {
	for _, k := range c.Known {
		if k.ID > c.Head.ID {
			return []AuditFault{missing(c.Head.ID+1, k.ID)}
		}
	}
	return nil
}

func missing(from, to int64) AuditFault {
	if from == to {
		return fault(from, "row %d is missing", from)
	}
	return fault(from, "rows %d to %d are missing", from, to)
}
