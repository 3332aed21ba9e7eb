package unwind

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Duration is a span of time that reads and writes as Go's duration text,
// such as "1m30s", in JSON and YAML. Its unit is the nanosecond. The zero value
// means "not set" wherever a default exists.
type Duration int64

// Units of [Duration], so that a definition reads as 10*unwind.Minute.
const (
	Millisecond Duration = Duration(time.Millisecond)
	Second      Duration = Duration(time.Second)
	Minute      Duration = Duration(time.Minute)
	Hour        Duration = Duration(time.Hour)
)

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String formats d as Go does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It refuses negative spans.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		if hours := inHours(string(text)); hours != "" {
			return fmt.Errorf("%q is not a duration: hours are the largest unit; use %s", text, hours)
		}
		return fmt.Errorf("%q is not a duration; write it as in 250ms, 10s, 5m or 72h", text)
	}
	if v < 0 {
		return fmt.Errorf("duration %q is negative; write a positive one, as in 10s", text)
	}
	*d = Duration(v)
	return nil
}

// inHours turns days and weeks, as people write them, into hours; else it is empty.
func inHours(text string) string {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseUint(text[:digits], 10, 16)
	switch unit := strings.TrimSpace(text[digits:]); {
	case err != nil:
	case unit == "d" || unit == "day" || unit == "days":
		return fmt.Sprintf("%dh", 24*n)
	case unit == "w" || unit == "week" || unit == "weeks":
		return fmt.Sprintf("%dh", 7*24*n)
	}
	return ""
}

// A Rate is a number of calls per span of time. The zero value means "not set".
type Rate struct {
	Calls int64
	Per   Duration
}

// PerSecond returns the rate of n calls per second.
func PerSecond(n int64) Rate { return Rate{Calls: n, Per: Second} }

// IsZero reports whether the rate is not set.
func (r Rate) IsZero() bool { return r.Calls == 0 || r.Per == 0 }

// CallsPerSecond returns the rate in calls per second.
func (r Rate) CallsPerSecond() float64 {
	if r.IsZero() {
		return 0
	}
	return float64(r.Calls) * float64(Second) / float64(r.Per)
}

// String formats the rate as "40/s", "2400/min", "100/h" or "2000/1m30s", and
// the zero rate as nothing.
func (r Rate) String() string {
	if r.IsZero() {
		return ""
	}
	switch r.Per {
	case Second:
		return fmt.Sprintf("%d/s", r.Calls)
	case Minute:
		return fmt.Sprintf("%d/min", r.Calls)
	case Hour:
		return fmt.Sprintf("%d/h", r.Calls)
	}
	return fmt.Sprintf("%d/%s", r.Calls, r.Per)
}

// RateText formats calls per second for people: "40/s" or "12.5/s", and what is slower
// than one a second per minute or per hour, "6/min" or "0.5/h". It is not read again.
func RateText(callsPerSecond float64) string {
	n, unit := callsPerSecond, "s"
	for _, slower := range [...]string{"min", "h"} {
		if n == 0 || math.Round(n*100) >= 100 {
			break
		}
		n, unit = n*60, slower
	}
	if n < 1 { // next to nothing, but not nothing
		return strconv.FormatFloat(n, 'g', 2, 64) + "/" + unit
	}
	return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64) + "/" + unit
}

// MarshalText implements encoding.TextMarshaler.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It reads "40/s",
// "2400/min", "100/h" and, for windows, "2000/1m". The empty text is the zero Rate.
func (r *Rate) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*r = Rate{}
		return nil
	}
	bad := func() error {
		return fmt.Errorf("%q is not so many calls per time; write it as in 40/s, 2400/min, 100/h or 2000/1m", s)
	}
	calls, per, ok := strings.Cut(s, "/")
	if !ok {
		return bad()
	}
	n, err := strconv.ParseInt(strings.TrimSpace(calls), 10, 64)
	if err != nil {
		return bad()
	}
	if n <= 0 {
		return fmt.Errorf("%q would let nothing through; write at least 1 call, as in 1/min, or pause the lane instead", s)
	}
	var span Duration
	switch per = strings.TrimSpace(per); per {
	case "s", "sec":
		span = Second
	case "m", "min":
		span = Minute
	case "h":
		span = Hour
	default:
		if err := span.UnmarshalText([]byte(per)); err != nil || span <= 0 {
			return bad()
		}
	}
	*r = Rate{Calls: n, Per: span}
	return nil
}

// A Time is an instant that reads and writes as RFC 3339 with microseconds, UTC.
type Time struct{ time.Time }

// TimeFromMicros returns the instant that lies us microseconds after the Unix epoch.
func TimeFromMicros(us int64) Time { return Time{time.UnixMicro(us).UTC()} }

const timeLayout = "2006-01-02T15:04:05.000000Z"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON implements json.Unmarshaler. It leaves t as it is for null.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("%q is not a time; write RFC 3339, as in 2026-01-02T15:04:05Z", s)
	}
	t.Time = v.UTC()
	return nil
}
