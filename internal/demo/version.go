package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/unwindhq/unwind/participant"
)

// A Version of a participant. The zero value is the one that it begins with.
type Version struct {
	// Unknown is a currency that the version has forgotten: what was charged in it
	// is not refunded, but answered 422.
	Unknown string `json:"unknown"`
	// After so many more refunds it is live.
	After int64 `json:"after"`
}

// A version is live until another is deployed.
type version struct {
	live    atomic.Pointer[Version]
	refunds atomic.Int64 // since it was deployed
}

// before has the version that is live look at what a compensation is to undo.
func (v *version) before(next participant.Func) participant.Func {
	return func(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
		if call.Direction != participant.Compensation {
			return next(ctx, tx, call)
		}
		if live := v.live.Load(); live != nil && live.Unknown != "" && v.refunds.Load() >= live.After {
			var done struct {
				Currency string `json:"currency"`
			}
			if err := call.DecodeRecorded(&done); err != nil {
				return nil, err
			}
			if done.Currency == live.Unknown {
				return nil, participant.Invalid(fmt.Sprintf("unknown currency %q", done.Currency))
			}
		}
		output, err := next(ctx, tx, call)
		if err == nil {
			v.refunds.Add(1)
		}
		return output, err
	}
}

func (v *version) deploy(w http.ResponseWriter, r *http.Request) {
	var next Version
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&next); err != nil {
		refuse(w, http.StatusBadRequest, "the version can't be read: "+err.Error())
		return
	}
	v.refunds.Store(0)
	v.live.Store(&next)
	answer(w, next)
}
