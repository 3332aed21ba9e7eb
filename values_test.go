package unwind_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
)

func TestRatesReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]unwind.Rate{
		"40/s":       unwind.PerSecond(40),
		"40/sec":     unwind.PerSecond(40),
		"40 / s":     unwind.PerSecond(40),
		"2400/min":   {Calls: 2400, Per: unwind.Minute},
		"2000/m":     {Calls: 2000, Per: unwind.Minute},
		"2000/1m":    {Calls: 2000, Per: unwind.Minute},
		"100/h":      {Calls: 100, Per: unwind.Hour},
		"5/250ms":    {Calls: 5, Per: 250 * unwind.Millisecond},
		"2000/1m30s": {Calls: 2000, Per: 90 * unwind.Second},
		"":           {},
	} {
		var got unwind.Rate
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"40", "/s", "40/", "40/fortnight", "0/s", "-1/s", "1.5/s", "40/0s", "40/-1s", "many/s", "99999999999999999999/s", "40/s/s"} {
		rate := unwind.PerSecond(1)
		if err := rate.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q reads as %v", text, rate)
		} else if rate != unwind.PerSecond(1) {
			t.Errorf("%q changed the rate to %v though it was refused", text, rate)
		}
	}
}

func TestARateThatIsNotSetWritesNothing(t *testing.T) {
	for _, rate := range []unwind.Rate{{}, {Calls: 5}, {Per: unwind.Second}} {
		if !rate.IsZero() || rate.String() != "" || rate.CallsPerSecond() != 0 {
			t.Errorf("%#v: %q, %v/s", rate, rate, rate.CallsPerSecond())
		}
	}
}

func TestASlowRateIsToldPerMinuteOrPerHour(t *testing.T) {
	for want, perSecond := range map[string]float64{
		"1000000/s": 1e6, "40/s": 40, "33.33/s": 100. / 3, "1.5/s": 1.5, "1/s": 0.999999,
		"30/min": 0.5, "6/min": 0.1, "7/min": 7. / 60, "1/min": 1. / 60,
		"30/h": 30. / 3600, "1/h": 1. / 3600, "0.5/h": 1. / 7200, "0.042/h": 1. / 86400, "0.006/h": 1. / 604800, "0/s": 0,
	} {
		if got := unwind.RateText(perSecond); got != want {
			t.Errorf("%v: got %s, want %s", perSecond, got, want)
		}
	}
}

func TestRatesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := unwind.Rate{
			Calls: rapid.Int64Range(1, math.MaxInt64).Draw(t, "calls"),
			Per: rapid.OneOf(
				rapid.SampledFrom([]unwind.Duration{unwind.Second, unwind.Minute, unwind.Hour}),
				rapid.Map(rapid.Int64Range(1, math.MaxInt64), func(ns int64) unwind.Duration { return unwind.Duration(ns) }),
			).Draw(t, "per"),
		}
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got unwind.Rate
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Fatalf("%s: got %#v, %v; want %#v", text, got, err, want)
		}
	})
}

func TestDurationsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := unwind.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "ns"))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got unwind.Duration
		if err := json.Unmarshal(b, &got); err != nil || got != want || got.Std() != time.Duration(want) {
			t.Fatalf("%s: got %v, %v; want %v", b, got, err, want)
		}
	})
}

func TestDurationsThatAreNoneSayWhatIsRight(t *testing.T) {
	for text, word := range map[string]string{"5": "250ms", "soon": "250ms", "": "250ms", "3d": "use 72h", "2 weeks": "use 336h", "1 day": "use 24h", "1.5d": "250ms", "99999999d": "250ms", "d": "250ms", "-5s": "negative", "300000h": "", "3000000h": "250ms"} {
		var d unwind.Duration
		err := d.UnmarshalText([]byte(text))
		if word == "" && err != nil || word != "" && (err == nil || !strings.Contains(err.Error(), word)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTimesRoundTripToTheMicrosecondInUTC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(-62135596800_000000, 253402300799_999999).Draw(t, "us")
		want := unwind.TimeFromMicros(us)
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got unwind.Time
		if err := json.Unmarshal(b, &got); err != nil || !got.Equal(want.Time) || got.UnixMicro() != us || got.Location() != time.UTC {
			t.Fatalf("%s: got %v, %v; want %v", b, got, err, want)
		}
	})
}

func TestTimesAreWrittenWithMicrosecondsAndReadFromAnyZone(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.FixedZone("", 3600))
	b, err := json.Marshal(unwind.Time{Time: at})
	if err != nil || string(b) != `"2026-01-02T02:04:05.000006Z"` {
		t.Errorf("got %s, %v", b, err)
	}
	var got unwind.Time
	if err := json.Unmarshal([]byte(`"2026-01-02T03:04:05+01:00"`), &got); err != nil || !got.Equal(at.Truncate(time.Second)) {
		t.Errorf("got %v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`null`), &got); err != nil || got.IsZero() {
		t.Errorf("null: got %v, %v; want it left alone", got, err)
	}
	for _, bad := range []string{`"yesterday"`, `5`, `"2026-01-02"`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s reads as %v", bad, got)
		}
	}
}
