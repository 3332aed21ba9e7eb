package unwind

import "encoding/json"

// OperationKind says what an operation does to each of its items.
type OperationKind string

// The kinds of operations.
const (
	// OperationReplay has dead letters called again, each under its own key.
	OperationReplay OperationKind = "replay"
	// OperationCancel turns sagas back.
	OperationCancel OperationKind = "cancel"
)

// OperationState is where an operation stands.
type OperationState string

// The states of an operation. The last two are final.
const (
	OperationRunning OperationState = "running"
	// OperationPaused: by a person, or by itself once its canary is through.
	OperationPaused   OperationState = "paused"
	OperationFinished OperationState = "finished"
	OperationAborted  OperationState = "aborted"
)

// Over reports whether nothing more is taken up.
func (s OperationState) Over() bool { return s == OperationFinished || s == OperationAborted }

// A Selection says what an operation acts on. What it names is looked up once and
// frozen: what comes later is not part of it. One that names nothing is refused.
// All fields but IDs narrow it down together.
type Selection struct {
	// IDs of dead letters, or of sagas that are to be cancelled; at most 10,000, and
	// then nothing else.
	IDs []string `json:"ids,omitempty" doc:"Of dead letters, or of sagas to cancel: at most 10,000, and nothing else then"`
	// Group and Service are of dead letters.
	Group   string `json:"group,omitempty" doc:"The fingerprint of the cause"`
	Saga    string `json:"saga,omitempty" doc:"The definition's name"`
	Service string `json:"service,omitempty" doc:"The service that was called"`
	// Tenant of sagas that are to be cancelled.
	Tenant string `json:"tenant,omitempty" doc:"Of sagas to cancel"`
	// Before which they died, or began where they are to be cancelled.
	Before *Time `json:"before,omitempty" doc:"Before which they died, or began where they are to be cancelled"`
}

// An OperationRequest asks for one act on many dead letters or sagas.
type OperationRequest struct {
	Kind OperationKind `json:"kind" enum:"replay,cancel"`
	// Selection, or the SelectionID of a dry run.
	Selection   *Selection `json:"selection,omitempty"`
	SelectionID string     `json:"selection_id,omitempty" doc:"What a dry run has frozen, in the place of a selection"`
	// Rate at which items are taken up, at most; nil: as fast as their lanes go. It
	// is never above what the lanes may send.
	Rate *Rate `json:"rate,omitempty" doc:"At most; the lanes' limits hold in any case"`
	// Canary is how many items come first: until these are through, no other is
	// taken up. 0: none.
	Canary int `json:"canary,omitempty" doc:"How many come first, alone"`
	// Auto goes on by itself where the whole canary succeeded. Else, and where one of
	// it failed, the operation pauses for a person.
	Auto bool `json:"auto,omitempty" doc:"Go on by itself once the whole canary has succeeded; else it pauses for a person"`
	// Reason is required, but for a dry run.
	Reason string `json:"reason,omitempty" doc:"Why, for those who read the audit; required but for a dry run"`
	DryRun bool   `json:"dry_run,omitempty" doc:"Freeze the selection and say what would be done"`
	// Key makes a request that is sent twice one operation.
	Key   string `json:"-"`
	Actor string `json:"-"`
}

// An OperationPlan is what a dry run found.
type OperationPlan struct {
	SelectionID string `json:"selection_id" doc:"The frozen selection, for selection_id of the run"`
	ExpiresAt   Time   `json:"expires_at"`
	Eligible    int64  `json:"eligible"`
	// Skipped counts what was named and is not eligible, by why.
	Skipped map[string]int64 `json:"skipped" doc:"What was named and is not eligible, by why"`
	// AmountAtRisk is the exact sum of what is eligible; null without amounts.
	AmountAtRisk json.RawMessage `json:"amount_at_risk,omitempty"`
	// Lanes are those that the calls go through.
	Lanes []OperationLane `json:"lanes"`
	// Rate at which items would be taken up, per second; null: nothing bounds it.
	Rate *float64 `json:"rate" doc:"Per second; null: nothing bounds it"`
	// EstimateMS is how long it would take, where all that waits in its lanes goes first;
	// null: nobody can tell.
	EstimateMS *int64 `json:"estimate_ms" doc:"How long it would take, where all that waits in its lanes goes first; null: nobody can tell"`
	// Command runs it from a shell.
	Command string `json:"command,omitempty" doc:"The command that runs it"`
}

// An OperationLane is a lane that an operation's calls go through.
type OperationLane struct {
	Service string `json:"service"`
	Lane    string `json:"lane"`
	// Rate in force, per second; null: it has none.
	Rate *float64 `json:"rate"`
	// Waiting calls come before those of the operation.
	Waiting int `json:"waiting" doc:"Calls that wait in it already"`
	// Held says what keeps the lane from sending; empty: nothing.
	Held string `json:"held,omitempty" doc:"What keeps it from sending"`
}

// An Operation acts on many dead letters or sagas. It lives on the server.
type Operation struct {
	ID        string          `json:"id"`
	Kind      OperationKind   `json:"kind" enum:"replay,cancel"`
	State     OperationState  `json:"state" enum:"running,paused,finished,aborted"`
	Selection Selection       `json:"selection"`
	Counts    OperationCounts `json:"counts"`
	Rate      *Rate           `json:"rate"`
	// EffectiveRate at which items are taken up, per second; null: nothing bounds it.
	EffectiveRate *float64 `json:"effective_rate" doc:"Per second; null: nothing bounds it"`
	Canary        int      `json:"canary"`
	Auto          bool     `json:"auto"`
	// CanaryPassed: all others may be taken up.
	CanaryPassed bool `json:"canary_passed" doc:"All others may be taken up"`
	// Paused says by whom and why; null: it is not.
	Paused *LanePause `json:"paused"`
	// WaitingFor says what keeps it from taking up more; empty: nothing.
	WaitingFor string `json:"waiting_for,omitempty" doc:"What keeps it from taking up more"`
	// Throttled is the share of 429 and 503 in the answers of the last minute, of
	// the lane that has most.
	Throttled float64 `json:"throttled" doc:"The share of 429 and 503 in its lanes' answers of the last minute"`
	// EstimateMS is when all of it is done, where all that waits in its lanes goes first;
	// nil: nobody can tell.
	EstimateMS   *int64          `json:"estimate_ms" doc:"Until all of it is done, where all that waits in its lanes goes first; null: nobody can tell"`
	AmountAtRisk json.RawMessage `json:"amount_at_risk,omitempty" doc:"Of all that was selected"`
	By           string          `json:"by"`
	Reason       string          `json:"reason"`
	CreatedAt    Time            `json:"created_at"`
	UpdatedAt    Time            `json:"updated_at"`
	EndedAt      *Time           `json:"ended_at"`
}

// OperationCounts counts an operation's items by what became of them.
type OperationCounts struct {
	Total  int64 `json:"total"`
	Queued int64 `json:"queued"`
	// Replaying are called again right now, or wait for that in their lanes.
	Replaying int64 `json:"replaying"`
	// Succeeded: the participant acknowledged; of sagas: they turn back.
	Succeeded int64 `json:"succeeded" doc:"The participant acknowledged; of sagas: they turn back"`
	// FailedAgain are dead letters anew.
	FailedAgain int64            `json:"failed_again"`
	Skipped     int64            `json:"skipped"`
	SkippedWhy  map[string]int64 `json:"skipped_why"`
}

// Done counts what has an outcome.
func (c *OperationCounts) Done() int64 { return c.Succeeded + c.FailedAgain + c.Skipped }

// OperationFilter selects operations; zero fields match all.
type OperationFilter struct {
	Page
	State OperationState
}

// An OperationChange changes an operation that is not over. What is nil stays.
type OperationChange struct {
	Rate *Rate `json:"rate,omitempty"`
	// Paused: to resume also passes the canary.
	Paused *bool  `json:"paused,omitempty" doc:"false also passes the canary"`
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"-"`
}

// An AbortRequest ends an operation. What is being called again goes on.
type AbortRequest struct {
	Reason string
	Actor  string
}
