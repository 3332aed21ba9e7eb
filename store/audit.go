package store

import (
	"crypto/sha256"
	"encoding/binary"
)

// An Audit is one operator action. The rows are a chain: the store gives each its
// ID, which counts from 1, and its place behind the one before ([AuditHead.Append]).
type Audit struct {
	ID     int64
	At     int64
	Actor  string
	Action string
	Target string
	Reason string
	Data   []byte
	// Previous is the Hash of the row before; zero in the first row.
	Previous AuditHash
	// Hash is [Audit.Sum] as it was when the row was written.
	Hash AuditHash
}

// An AuditFilter selects rows of the audit; empty fields match all. Texts match as a whole.
type AuditFilter struct {
	Action, Actor, Target string
	// Since is the earliest time that a row may have; zero: any.
	Since  int64
	Cursor string
	Limit  int
}

// AuditLook is how many rows one page is taken from at most: one in which few rows match
// ends there, and its cursor goes on.
const AuditLook = 10_000

// Match reports whether a row is selected.
func (f *AuditFilter) Match(a *Audit) bool {
	return (f.Action == "" || f.Action == a.Action) && (f.Actor == "" || f.Actor == a.Actor) &&
		(f.Target == "" || f.Target == a.Target) && (f.Since == 0 || f.Since <= a.At)
}

// An AuditHash is a SHA-256.
type AuditHash [sha256.Size]byte

// An AuditHead is the end of the audit. The zero value is that of an empty one.
type AuditHead struct {
	ID    int64     // of the last row
	Hash  AuditHash // of the last row
	Count int64     // of all rows
}

// Append makes a the row behind the head, and returns the head that it is then.
func (h AuditHead) Append(a *Audit) AuditHead {
	a.ID, a.Previous = h.ID+1, h.Hash
	a.Hash = a.Sum()
	return AuditHead{ID: a.ID, Hash: a.Hash, Count: h.Count + 1}
}

// auditPrefix sets these sums apart from all others, and one encoding from the next.
const auditPrefix = "unwind audit 1\n"

// Sum returns the SHA-256 of the prefix, Previous, the numbers ID and At (8 bytes
// each, big endian, two's complement), and then Actor, Action, Target, Reason and
// Data, each as its length in bytes (8 bytes, big endian) and its bytes.
func (a *Audit) Sum() AuditHash {
	b := make([]byte, 0, 256+len(a.Reason)+len(a.Data))
	b = append(b, auditPrefix...)
	b = append(b, a.Previous[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(a.At))
	for _, text := range [...]string{a.Actor, a.Action, a.Target, a.Reason} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(len(a.Data)))
	return sha256.Sum256(append(b, a.Data...))
}
