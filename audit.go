package unwind

import "encoding/json"

// An AuditRow is one operator action. The rows are a chain of hashes, so that
// nobody changes, takes away or moves one without being seen.
type AuditRow struct {
	ID     int64           `json:"id" doc:"Counts from 1"`
	At     Time            `json:"at"`
	Actor  string          `json:"actor" doc:"The token's name"`
	Action string          `json:"action"`
	Target string          `json:"target"`
	Reason string          `json:"reason,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
	// Previous is the Hash of the row before, zeros in the first row. Both are a
	// SHA-256 in hexadecimal, of what docs/audit.md says.
	Previous string `json:"previous" doc:"The hash of the row before; zeros in the first"`
	Hash     string `json:"hash" doc:"SHA-256 of the row and of the hash of the one before"`
}

// AuditFilter selects rows of the audit; zero fields match all, and texts match as a
// whole.
type AuditFilter struct {
	Page
	Action, Actor, Target string
	// Since leaves out what was done before.
	Since Time
}

// An AuditHead is the end of the audit.
type AuditHead struct {
	// ID and Hash of the last row; 0 and zeros where there is none.
	ID    int64  `json:"id" doc:"Of the last row; 0 where there is none"`
	Hash  string `json:"hash" doc:"Of the last row"`
	Count int64  `json:"count" doc:"How many rows there are"`
}
