package unwind

import (
	"errors"
	"fmt"
)

// A Code classes an error; each has one HTTP status and one problem type.
type Code string

// The codes of errors.
const (
	// InvalidRequest: mend what Faults lists.
	InvalidRequest Code = "invalid-request"
	// UnknownSaga: no definition has this name.
	UnknownSaga Code = "unknown-saga"
	// NotFound: there is no saga, dead letter or token of this name, or not any more.
	NotFound Code = "not-found"
	// Conflict: somebody was faster; By, Action and At say who.
	Conflict Code = "conflict"
	// PastPivot: there is only forward, so it can't be cancelled.
	PastPivot Code = "past-pivot"
	// KeyReused: the key began a saga with another input.
	KeyReused Code = "key-reused"
	// TooLarge: the request is beyond a limit in bytes.
	TooLarge Code = "too-large"
	// Overloaded: nothing was done; try again after RetryAfter.
	Overloaded Code = "overloaded"
	// StoreUnavailable: the store can't be used, or the engine stops; a start may
	// have become durable, so try again with the same key.
	StoreUnavailable Code = "store-unavailable"
	// Unauthenticated: no token, or one that is not known.
	Unauthenticated Code = "unauthenticated"
	// Forbidden: the token's role does not allow it.
	Forbidden Code = "forbidden"
	// Held: the server is on hold after a restore; nothing was done, and an operator
	// releases it.
	Held Code = "held"
	// Unreachable is the client's: no answer came; try again with the same key.
	Unreachable Code = "unreachable"
	// Damaged: what is stored of it can't be read, now or later.
	Damaged Code = "damaged"
	// Internal: a fault of the engine, for its log and its makers.
	Internal Code = "internal"
)

// HTTPStatus is the one mapping of codes to HTTP; 500 for a code that is not
// known. An [InvalidRequest] whose form is broken, so that no fault can be
// pointed at, is 400 instead.
func (c Code) HTTPStatus() int {
	switch c {
	case InvalidRequest, KeyReused:
		return 422
	case UnknownSaga, NotFound:
		return 404
	case Conflict, PastPivot:
		return 409
	case TooLarge:
		return 413
	case Overloaded:
		return 429
	case StoreUnavailable, Held:
		return 503
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case Unreachable:
		return 502
	}
	return 500
}

// Title says what the code means, in a few words that never change.
func (c Code) Title() string {
	switch c {
	case InvalidRequest:
		return "The request is not valid"
	case UnknownSaga:
		return "There is no such saga definition"
	case NotFound:
		return "There is no such thing"
	case Conflict:
		return "Something else happened before"
	case PastPivot:
		return "The saga is past its point of no return"
	case KeyReused:
		return "The key began a saga with another input"
	case TooLarge:
		return "The request is too large"
	case Overloaded:
		return "There is too much to do"
	case StoreUnavailable:
		return "The store can't be reached"
	case Held:
		return "The server is on hold"
	case Unauthenticated:
		return "Nobody knows who you are"
	case Forbidden:
		return "You may not do this"
	case Damaged:
		return "What is stored of it is damaged"
	case Unreachable:
		return "The server can't be reached"
	}
	return "Something is wrong inside"
}

// An Error is what every method of [Service] returns when it fails: what was
// being done, why it failed, and what to do.
type Error struct {
	Code    Code
	Message string
	// Faults lists each fault of an invalid request.
	Faults []Fault
	// RetryAfter says when to try again; zero: no word on that.
	RetryAfter Duration
	// By, Action and At say who did what when, for a conflict.
	By, Action string
	At         Time
	// RequestID is the request's id, where the error came over HTTP.
	RequestID string
	cause     error
}

// Errorf makes an error of a code. A %w verb keeps its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), cause: errors.Unwrap(err)}
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of err, [Internal] where it has none, and the empty
// code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Refusal is the error of a [Func] that did nothing and will not: a business
// refusal, which turns the saga back.
type Refusal struct{ Reason string }

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

// Refuse makes a [Refusal].
func Refuse(reason string) error { return &Refusal{Reason: reason} }
