package machine

const tableHead = `# The state table

<!-- Written by: go generate ./internal/machine. Don't edit. -->

What the machine does, row by row, as it does it: this page is generated from the
code and a test fails when it is stale. The transcripts in internal/machine/testdata
play whole sagas.

Each table begins with the saga (a step, and the options it was declared with) and
the events that led there. Waits are shown without the random part of the backoff.

## What an answer does
`

var tableAnswers = []struct {
	name   string
	answer Answer
}{
	{"200", Answer{Status: 200}},
	{"202", Answer{Status: 202}},
	{"301", Answer{Status: 301}},
	{"400", Answer{Status: 400}},
	{"401", Answer{Status: 401}},
	{"403", Answer{Status: 403}},
	{"404", Answer{Status: 404}},
	{"405", Answer{Status: 405}},
	{"407", Answer{Status: 407}},
	{"409", Answer{Status: 409}},
	{"410", Answer{Status: 410}},
	{"418 (other 4xx)", Answer{Status: 418}},
	{"422", Answer{Status: 422}},
	{"425", Answer{Status: 425}},
	{"429, Retry-After: 7", Answer{Status: 429, Hint: 7_000_000}},
	{"500 (other 5xx)", Answer{Status: 500}},
	{"503, Retry-After: 7", Answer{Status: 503, Hint: 7_000_000}},
	{"timeout", Answer{Fault: FaultTimeout}},
	{"connection broken", Answer{Fault: FaultBroken}},
	{"unreadable body", Answer{Status: 200, Fault: FaultUnreadable}},
	{"not sent", Answer{Fault: FaultNotSent}},
	{"no descriptor or port left here", Answer{Fault: FaultLocal}},
	{"certificate", Answer{Fault: FaultCertificate}},
	{"forbidden address", Answer{Fault: FaultForbidden}},
	{"Unwind-Outcome: done", Answer{Status: 500, Outcome: OutcomeDone}},
	{"Unwind-Outcome: refused", Answer{Status: 200, Outcome: OutcomeRefused}},
	{"Unwind-Outcome: in_progress", Answer{Status: 200, Outcome: OutcomeInProgress}},
}

var tableWords = []struct {
	name   string
	answer Answer
}{
	{"done", Answer{Outcome: OutcomeDone}},
	{"not_done", Answer{Outcome: OutcomeRefused}},
	{"in_progress", Answer{Outcome: OutcomeInProgress}},
	{"could not be asked", Answer{}},
	{"no descriptor or port left here", Answer{Fault: FaultLocal}},
}

const (
	plainSaga = "reserve: undo release\ncharge: undo refund"
	asyncSaga = "reserve: undo release\ncharge: undo refund, async"
	pivotSaga = "reserve: undo release\ncharge: pivot\nship:"
	knownSaga = "reserve: undo release\ncharge: pivot, status\nship:"
	undoSaga  = "reserve: undo release\ncharge: undo refund\nship: undo cancel"
	longSaga  = "reserve: undo release\ncharge: undo refund, status, lifetime 1m, async\nship: undo cancel"
	turned    = "answer reserve 200\nanswer charge 200\nanswer ship 409"
)

var answerSituations = []situation{
	{"An action, first attempt", plainSaga, "answer reserve 200", "charge"},
	{"An action, after an uncertain attempt", plainSaga, "answer reserve 200\nanswer charge timeout", "charge"},
	{"An action, last attempt", plainSaga, "answer reserve 200\nanswer charge not_sent times 4", "charge"},
	{"An action, last attempt, after an uncertain one", plainSaga, "answer reserve 200\nanswer charge timeout times 4", "charge"},
	{"An asynchronous action, first attempt", asyncSaga, "answer reserve 200", "charge"},
	{"An asynchronous action, after an uncertain attempt", asyncSaga, "answer reserve 200\nanswer charge timeout", "charge"},
	{"An action in flight while the saga turns back", plainSaga, "answer reserve 200\ncancel", "charge"},
	{"An action in flight while the saga turns back, after an uncertain attempt", plainSaga, "answer reserve 200\nanswer charge timeout\ncancel", "charge"},
	{"The pivot, first attempt", pivotSaga, "answer reserve 200", "charge"},
	{"The pivot, first attempt, a cancel waits", pivotSaga, "answer reserve 200\ncancel", "charge"},
	{"The pivot, last attempt, after an uncertain one, without a status path", pivotSaga, "answer reserve 200\nanswer charge timeout times 4", "charge"},
	{"The pivot, last attempt, after an uncertain one, with a status path", knownSaga, "answer reserve 200\nanswer charge timeout times 4", "charge"},
	{"An action past the pivot, last attempt", pivotSaga, "answer reserve 200\nanswer charge 200\nanswer ship not_sent times 4", "ship"},
	{"A compensation, first attempt", undoSaga, turned, "refund"},
	{"A compensation, after an uncertain attempt", undoSaga, turned + "\nanswer refund timeout", "refund"},
	{"A compensation, last attempt", undoSaga, turned + "\nanswer refund not_sent times 29", "refund"},
	{"A compensation, last attempt, on_dead_letter: block", "block\n" + undoSaga, turned + "\nanswer refund not_sent times 29", "refund"},
	{"An asynchronous compensation", "reserve: undo release\ncharge: undo refund, async_undo\nship: undo cancel", turned, "refund"},
}

var askSituations = []situation{
	{"About an action whose key has run out", longSaga, "answer reserve 200\nanswer charge timeout\nwait 1m\ntimer", "charge"},
	{"About an accepted action", longSaga, "answer reserve 200\nanswer charge 202\ntimer", "charge"},
	{"About a pivot whose attempts are spent", knownSaga, "answer reserve 200\nanswer charge timeout times 5", "charge"},
	{"About a pivot whose attempts are spent, asked in vain four times", knownSaga, "answer reserve 200\nanswer charge timeout times 5\nstatus charge unreachable times 4", "charge"},
	{"About a compensation whose key has run out", longSaga, turned + "\nanswer refund timeout\nwait 1m\ntimer", "refund"},
	{"About an accepted compensation", "reserve: undo release\ncharge: undo refund, status, async_undo\nship: undo cancel", turned + "\nanswer refund 202\ntimer", "refund"},
}

var phaseSituations = []situation{
	{"running", undoSaga, "answer reserve 200", ""},
	{"running, the pivot in flight", "reserve: undo release\ncharge: undo refund, pivot\nship: undo cancel", "answer reserve 200", ""},
	{"running, the pivot uncertain", "reserve: undo release\ncharge: undo refund, pivot\nship: undo cancel", "answer reserve 200\nanswer charge timeout", ""},
	{"running, past the pivot", "reserve: undo release\ncharge: undo refund, pivot\nship: undo cancel", "answer reserve 200\nanswer charge 200", ""},
	{"running, an accepted call", "reserve: undo release\ncharge: undo refund, async, status\nship: undo cancel", "answer reserve 200\nanswer charge 202", ""},
	{"running, a signal is waited for", "reserve: undo release\ncharge: signal 1h\nship: undo refund", "answer reserve 200", ""},
	{"running, a delay", "reserve: undo release\ncharge: delay 1h\nship: undo refund", "answer reserve 200", ""},
	{"compensating, an action in flight", undoSaga, "answer reserve 200\ncancel", ""},
	{"compensating", undoSaga, turned, ""},
	{"compensating, an accepted compensation", "reserve: undo release\ncharge: undo refund, async_undo, status\nship: undo cancel", turned + "\nanswer refund 202", ""},
	{"completed", undoSaga, "answer reserve 200\nanswer charge 200\nanswer ship 200", ""},
	{"compensated", undoSaga, turned + "\nanswer refund 200\nanswer release 200", ""},
	{"dead_lettered, a compensation", undoSaga, turned + "\nanswer refund 422\nanswer release 200", ""},
	{"compensated, a compensation resolved by hand", undoSaga, turned + "\nanswer refund 422\nanswer release 200\nresolve refund", ""},
	{"compensating, a compensation resolved by hand", undoSaga, turned + "\nanswer refund 422\nresolve refund", ""},
	{"dead_lettered, on_dead_letter: block", "block\n" + undoSaga, turned + "\nanswer refund 422", ""},
	{"dead_lettered, an uncertain pivot", "reserve: undo release\ncharge: undo refund, pivot\nship: undo cancel", "answer reserve 200\nanswer charge timeout times 5", ""},
	{"dead_lettered, past the pivot", "reserve: pivot\ncharge: undo refund\nship: undo cancel", "answer reserve 200\nanswer charge 409", ""},
}

var tableEvents = []string{
	"cancel", "deadline", "signal charge {}", "complete charge done", "complete charge refused", "complete refund done", "complete refund refused",
	"withdrawn charge", "lost charge", "late charge 9 200",
	"replay charge", "replay refund", "replay refund new_key", "replay refund new_key evidence",
	"resolve charge", "resolve charge done 1", "resolve charge refused", "resolve refund", "resolve refund refused",
	"reopen charge", "reopen refund", "hasten charge", "hasten refund",
}
