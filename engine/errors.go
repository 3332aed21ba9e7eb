package engine

import (
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// failed makes an *unwind.Error of what a store answers. One that is an
// *unwind.Error already says what it has to say.
func failed(doing string, err error) error {
	var known *unwind.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrDamaged):
		return unwind.Errorf(unwind.Damaged, "%s: %w", doing, err)
	}
	u := unwind.Errorf(unwind.StoreUnavailable, "%s: %w; try again later", doing, err)
	u.RetryAfter = unwind.Second
	return u
}

// invalid is the error of one fault that can be pointed at.
func invalid(doing, pointer, message string) error {
	err := unwind.Errorf(unwind.InvalidRequest, "%s: %s: %s", doing, pointer, message)
	err.Faults = []unwind.Fault{{Pointer: pointer, Message: message}}
	return err
}
