package gateway

import (
	"net/http"
	"strconv"
	"time"
)

// A Hint makes the Retry-After of the n-th rejection, from 0, that is sent at
// now, from the wait that the model knows. An empty one sends no header. It is
// pure.
type Hint func(n int64, now time.Time, wait time.Duration) string

// WholeSeconds rounds the wait up to whole seconds, one at least: the form that
// most gateways send, however soon they would take the next call.
func WholeSeconds(_ int64, _ time.Time, wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// NoHint gives no Retry-After.
func NoHint(int64, time.Time, time.Duration) string { return "" }

// Nonsense gives in turn what no client should believe: zero, a negative number,
// a past date, garbage, a blank.
func Nonsense(n int64, now time.Time, _ time.Duration) string {
	switch n % 5 {
	case 0:
		return "0"
	case 1:
		return "-30"
	case 2:
		return now.Add(-time.Hour).UTC().Format(http.TimeFormat)
	case 3:
		return "soon™"
	}
	return " "
}

// AYear asks to be left alone for one.
func AYear(int64, time.Time, time.Duration) string { return strconv.Itoa(365 * 24 * 3600) }
