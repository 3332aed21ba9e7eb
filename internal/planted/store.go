package planted

// Bugs of stores, beside those of names.go.
const (
	// ApplySuccessors writes what was decided on a transition that conflicted.
	ApplySuccessors Bug = "write the successors of a conflict"
	// ForgetKey does not keep the key that a start came with.
	ForgetKey Bug = "forget the key of a start"
	// LoseTask does not write a task that replaces another.
	LoseTask Bug = "lose the row of a task"
	// PurgeOpen deletes sagas whose dead letters are open.
	PurgeOpen Bug = "purge open dead letters"
	// AnswerInPart says that all of a batch is written when its last transition is not.
	AnswerInPart Bug = "acknowledge a batch that is written in part"
	// LoseDue does not write when a saga is due.
	LoseDue Bug = "lose the due time of a saga"
	// LoseAudit does not write the audit row of a transition.
	LoseAudit Bug = "lose an audit row"
)
