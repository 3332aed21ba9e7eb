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
	{"G7", "a conflict takes its successors with it", conflictTakesItsSuccessorsWithIt},
	{"G7", "a batch's own rows do not depend on its transitions", batchRowsDoNotDependOnTransitions},
	{"G7", "a context that is done writes nothing", doneContextWritesNothing},
	{"G7", "an empty batch is answered", emptyBatchIsAnswered},

	{"G12", "epochs rise", epochsRise},
	{"G12", "a writer of an old epoch changes nothing", writerOfAnOldEpochChangesNothing},
	{"G12", "an epoch that nobody was given is refused", epochThatNobodyWasGivenIsRefused},
	{"G12", "rows carry their writer", rowsCarryTheirWriter},

	{"Liveness", "sagas are claimed in the order of due", sagasAreClaimedInTheOrderOfDue},
	{"Store", "pages of claims are bound in bytes", pagesOfClaimsAreBoundInBytes},
	{"G2", "a saga at rest is never claimed", sagaAtRestIsNeverClaimed},
	{"Liveness", "claimed sagas are whole but for their journal", claimedSagasAreWholeButForTheirJournal},
	{"Liveness", "pages of many equal dues miss nothing", pagesOfManyEqualDuesMissNothing},
	{"Liveness", "pages stay right while sagas move", pagesStayRightWhileSagasMove},

	{"Store", "sagas are listed newest first", sagasAreListedNewestFirst},
	{"Store", "sagas of one millisecond keep their order", sagasOfOneMillisecondKeepTheirOrder},
	{"Store", "every filter selects", everyFilterSelects},
	{"Store", "pages of a list are its parts", pagesOfAListAreItsParts},
	{"Store", "pages stay right while sagas start", pagesStayRightWhileSagasStart},
	{"Store", "stats count what is stored", statsCountWhatIsStored},

	{"G13", "the journal is in the order of commits", journalIsInTheOrderOfCommits},
	{"G13", "every transition has one row", everyTransitionHasOneRow},
	{"G13", "the journal of a saga is oldest first", journalOfASagaIsOldestFirst},
	{"G13", "the journal resumes where it ended", journalResumesWhereItEnded},
	{"G13", "now is the journal's end", nowIsTheJournalsEnd},
	{"G13", "an empty journal gives a cursor that resumes", emptyJournalGivesACursorThatResumes},
	{"G13", "a journal cursor survives a purge", journalCursorSurvivesAPurge},
	{"G13", "journal numbers are not given twice", journalNumbersAreNotGivenTwice},

	{"G4", "a task is read back as it was put", taskIsReadBackAsItWasPut},
	{"G4", "tasks come in the order of due, saga and step", tasksComeInTheOrderOfDueSagaAndStep},
	{"G4", "queues are apart", queuesAreApart},
	{"G4", "a task is replaced by the next of its step", taskIsReplacedByTheNextOfItsStep},
	{"G4", "a task is taken out", taskIsTakenOut},
	{"G4", "changes of one task apply in their order", changesOfOneTaskApplyInTheirOrder},
	{"G4", "queues are counted", queuesAreCounted},
	{"G4", "a long queue keeps its order", longQueueKeepsItsOrder},

	{"G3", "a dead letter is read back as it was opened", deadLetterIsReadBackAsItWasOpened},
	{"G3", "a move changes the state and who did it", moveChangesTheStateAndWhoDidIt},
	{"G3", "a move of none changes nothing", moveOfNoneChangesNothing},
	{"G3", "a dead letter opens anew", deadLetterOpensAnew},
	{"G3", "changes of one dead letter apply in their order", changesOfOneDeadLetterApplyInTheirOrder},
	{"Store", "every dead letter filter selects", everyDeadLetterFilterSelects},
	{"Store", "dead letters are paged newest first", deadLettersArePagedNewestFirst},
	{"Store", "dead letter pages stay right while others die", deadLetterPagesStayRightWhileOthersDie},

	{"Store", "dead letters are paged oldest first", deadLettersArePagedOldestFirst},
	{"Store", "groups are counted exactly", groupsAreCountedExactly},
	{"Store", "amounts are added exactly", amountsAreAddedExactly},
	{"G14", "a note is kept with its audit row", noteIsKeptWithItsAuditRow},
	{"Store", "the last notes are read", lastNotesAreRead},

	{"G14", "an operation is read back as it was changed", operationIsReadBackAsItWasChanged},
	{"Store", "an operation changes only as it was read", operationChangesOnlyAsItWasRead},
	{"Store", "operations are paged newest first", operationsArePagedNewestFirst},
	{"G2", "an item follows its dead letter", itemFollowsItsDeadLetter},
	{"G2", "a conflict takes up no item", conflictTakesUpNoItem},
	{"G2", "a transition settles an item", transitionSettlesAnItem},
	{"Store", "an item is skipped only while it is queued", itemIsSkippedOnlyWhileItIsQueued},
	{"Store", "an operation is dropped with its items", operationIsDroppedWithItsItems},

	{"Liveness", "an alert is written with what it covers", alertIsWrittenWithWhatItCovers},
	{"Liveness", "an alert is pending until it is delivered", alertIsPendingUntilItIsDelivered},
	{"Liveness", "an alert fires once until it ends", alertFiresOnceUntilItEnds},
	{"Liveness", "sinks come and go", sinksComeAndGo},
	{"Store", "alerts are selected by kind", alertsAreSelectedByKind},
	{"Store", "alerts are paged newest first", alertsArePagedNewestFirst},
	{"Liveness", "alerts are purged once they are over and told", alertsArePurgedOnceTheyAreOverAndTold},
	{"G14", "an audit row is written with what it audits", auditRowIsWrittenWithWhatItAudits},
	{"G14", "the audit is paged newest first", auditIsPagedNewestFirst},
	{"G14", "the audit is filtered", auditIsFiltered},
	{"G14", "a page of the audit looks at so many rows", auditPageLooksAtSoManyRows},
	{"G14", "the audit is a chain", auditIsAChain},
	{"G10", "a control holds until it is empty", controlHoldsUntilItIsEmpty},
	{"G10", "a state of flow control replaces the one before", flowStateReplacesTheOneBefore},

	{"Store", "the newest revision serves", newestRevisionServes},
	{"G14", "putting the newest again changes nothing", puttingTheNewestAgainChangesNothing},
	{"Store", "an older revision becomes the newest anew", olderRevisionBecomesTheNewestAnew},
	{"Store", "definitions are listed by name", definitionsAreListedByName},
	{"Store", "unknown definitions are not found", unknownDefinitionsAreNotFound},

	{"G1", "a purge takes only what ended well", purgeTakesOnlyWhatEndedWell},
	{"G1", "a purge takes only what rested long enough", purgeTakesOnlyWhatRestedLongEnough},
	{"G1", "a purge takes all that belongs to a saga", purgeTakesAllThatBelongsToASaga},
	{"G1", "a purge frees the key", purgeFreesTheKey},
	{"G1", "a purge keeps a key until it is freed", purgeKeepsAKeyUntilItIsFreed},
	{"G1", "a purge forgets what had no key", purgeForgetsWhatHadNoKey},
	{"G1", "keys are freed in small batches", keysAreFreedInSmallBatches},
	{"G1", "a purge works in small batches", purgeWorksInSmallBatches},
	{"G3", "a purge keeps what nobody settled", purgeKeepsWhatNobodySettled},
	{"G14", "a purge keeps alerts and audit", purgeKeepsAlertsAndAudit},

	{"Store", "pages have a default and a bound", pagesHaveADefaultAndABound},
	{"Store", "wrong cursors are refused", wrongCursorsAreRefused},
	{"Store", "big payloads are kept", bigPayloadsAreKept},
	{"Store", "odd text is kept and told apart", oddTextIsKeptAndToldApart},
	{"Store", "numbers keep their whole range", numbersKeepTheirWholeRange},
	{"Store", "a store keeps and gives copies", storeKeepsAndGivesCopies},
	{"Store", "readers see whole batches", readersSeeWholeBatches},
	{"Store", "writers beside commit are safe", writersBesideCommitAreSafe},
}
