package participant

import (
	"fmt"
	"time"
)

// A Code classes an [Error].
type Code string

// The codes of errors and the answers they make.
const (
	CodeMalformed     Code = "malformed-call"          // 400
	CodeTooLarge      Code = "too-large"               // 413
	CodeInvalid       Code = "invalid"                 // 422
	CodeKeyReused     Code = "key-reused"              // 422: the same key came with another body
	CodeRecordMissing Code = "record-missing"          // 422: the engine knows an output of the action, the barrier does not
	CodeRefused       Code = "refused"                 // 409, outcome refused
	CodeCompensated   Code = "already-compensated"     // 409, outcome refused: the action came after its compensation
	CodeSuperseded    Code = "superseded"              // 409, outcome refused: a later generation of the key was here before
	CodeInProgress    Code = "in-progress"             // 425, outcome in_progress
	CodeThrottled     Code = "throttled"               // 429
	CodeUnavailable   Code = "participant-unavailable" // 503: the database does not answer; nothing was done
	CodeFailed        Code = "handler-failed"          // 500: rolled back, or the commit's outcome is unknown
)

// An Error is an answer other than success. Handlers make one with [Refuse],
// [Invalid], [Throttle] or [InProgress]; wrapping it keeps its meaning.
type Error struct {
	Code   Code
	Reason string
	// RetryAfter is sent with 425, 429 and 503; zero sends no hint with 425
	// and 429, and one second with 503.
	RetryAfter time.Duration
	cause      error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Reason, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Reason)
}

// Unwrap returns the cause, which is logged and never sent; or nil.
func (e *Error) Unwrap() error { return e.cause }

// Refuse is a definite refusal for a business reason: nothing happened, and
// asking again is of no use. For an action it is recorded and given again to
// every duplicate. The reason is shown to operators.
func Refuse(reason string) *Error { return &Error{Code: CodeRefused, Reason: reason} }

// Invalid says that the call itself can never succeed. Nothing happened. For
// an action it is recorded and given again to every duplicate.
func Invalid(reason string) *Error { return &Error{Code: CodeInvalid, Reason: reason} }

// Throttle says that nothing happened and when to ask again: it costs the
// caller no attempt and closes its lane for the while. It is rounded up to
// whole seconds; zero gives no hint.
func Throttle(retryAfter time.Duration, reason string) *Error {
	return &Error{Code: CodeThrottled, Reason: reason, RetryAfter: retryAfter}
}

// InProgress says that the work goes on elsewhere and when to ask again. What
// the handler wrote is rolled back.
func InProgress(retryAfter time.Duration, reason string) *Error {
	return &Error{Code: CodeInProgress, Reason: reason, RetryAfter: retryAfter}
}

func malformed(format string, args ...any) *Error {
	return &Error{Code: CodeMalformed, Reason: fmt.Sprintf(format, args...)}
}

// An answerOf is what an error's code means over HTTP.
type answerOf struct {
	status  int
	outcome string
	title   string
}

// answer maps a code to HTTP, here and nowhere else.
func (c Code) answer() answerOf {
	switch c {
	case CodeMalformed:
		return answerOf{400, "", "The call is malformed"}
	case CodeTooLarge:
		return answerOf{413, "", "The body is too large"}
	case CodeInvalid:
		return answerOf{422, "", "The call is invalid"}
	case CodeKeyReused:
		return answerOf{422, "", "The key was used with another body"}
	case CodeRecordMissing:
		return answerOf{422, "", "The action's record is missing"}
	case CodeRefused:
		return answerOf{409, "refused", "Refused"}
	case CodeCompensated:
		return answerOf{409, "refused", "The step was compensated already"}
	case CodeSuperseded:
		return answerOf{409, "refused", "A later generation of the key was here before"}
	case CodeInProgress:
		return answerOf{425, "in_progress", "In progress"}
	case CodeThrottled:
		return answerOf{429, "", "Throttled"}
	case CodeUnavailable:
		return answerOf{503, "", "The participant's database does not answer"}
	}
	return answerOf{500, "", "The handler failed"}
}
