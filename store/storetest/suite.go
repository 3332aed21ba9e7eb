package storetest

import "github.com/unwindhq/unwind/internal/machine"

// The phases as a store keeps them.
const (
	running      = uint8(machine.Running)
	compensating = uint8(machine.Compensating)
	completed    = uint8(machine.Completed)
	compensated  = uint8(machine.Compensated)
	deadLettered = uint8(machine.DeadLettered)
)

// suite is the contract, behaviour by behaviour.
var suite = []behaviour{
	{"G1", "a start is read back as it was given", startIsReadBack},
	{"G1", "the same key and input is one saga", sameKeyAndInputIsOneSaga},
	{"G1", "the same key with another input is refused", sameKeyWithOtherInputIsRefused},
	{"G1", "a key outlives its saga's way", keyOutlivesTheSagasWay},
	{"G1", "a key belongs to its tenant and saga name", keyBelongsToTenantAndName},
	{"G1", "duplicates meet inside one batch", duplicatesMeetInsideOneBatch},
	{"G1", "starts without a key never meet", startsWithoutKeyNeverMeet},
	{"G1", "keys that share their hash are two", keysThatShareTheirHashAreTwo},
	{"G1", "a start made again is a duplicate", startMadeAgainIsADuplicate},
	{"G1", "a start on a taken id conflicts", startOnATakenIDConflicts},
	{"G1", "unknown sagas and keys are not found", unknownSagasAndKeysAreNotFound},

	{"G7", "a transition moves the saga on", transitionMovesTheSagaOn},
	{"G7", "due stays where it is not set", dueStaysWhereItIsNotSet},
	{"G7", "a conflict writes none of its rows", conflictWritesNoneOfItsRows},
	{"G7", "a conflict leaves the others alone", conflictLeavesTheOthersAlone},
	{"G7", "a batch builds on itself", batchBuildsOnItself},
	{"G7", "a batch's own rows do not depend on its transitions", batchRowsDoNotDependOnTransitions},
	{"G7", "a context that is done writes nothing", doneContextWritesNothing},
	{"G7", "an empty batch is answered", emptyBatchIsAnswered},

	{"G12", "epochs rise", epochsRise},
	{"G12", "a writer of an old epoch changes nothing", writerOfAnOldEpochChangesNothing},
	{"G12", "an epoch that nobody was given is refused", epochThatNobodyWasGivenIsRefused},
	{"G12", "rows carry their writer", rowsCarryTheirWriter},

	{"Liveness", "sagas are claimed in the order of due", sagasAreClaimedInTheOrderOfDue},
	{"G2", "a saga at rest is never claimed", sagaAtRestIsNeverClaimed},
	{"Liveness", "claimed sagas are whole but for their journal", claimedSagasAreWholeButForTheirJournal},
	{"Liveness", "pages of many equal dues miss nothing", pagesOfManyEqualDuesMissNothing},
	{"Liveness", "pages stay right while sagas move", pagesStayRightWhileSagasMove},
}
