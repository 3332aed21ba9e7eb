package planted

// Bugs of stores, beside those of names.go.
const (
	// ApplySuccessors writes what was decided on a transition that conflicted.
	ApplySuccessors Bug = "apply-successors"
	// ForgetKey does not keep the key that a start came with.
	ForgetKey Bug = "forget-key"
	// FreeKeyEarly frees a key that is to be kept when its saga is deleted.
	FreeKeyEarly Bug = "free-key-early"
	// LoseTask does not write a task that replaces another.
	LoseTask Bug = "lose-task"
	// PurgeOpen deletes sagas whose dead letters are open.
	PurgeOpen Bug = "purge-open"
	// AnswerInPart says that all of a batch is written when its last transition is not.
	AnswerInPart Bug = "answer-in-part"
	// LoseDue does not write when a saga is due.
	LoseDue Bug = "lose-due"
	// LoseAudit does not write the audit row of a transition.
	LoseAudit Bug = "lose-audit"
)
