package flow

import (
	"testing"
)

func TestQuotaOfHeaders(t *testing.T) {
	const now = 1_800_000_000 * second
	for _, c := range []struct {
		name   string
		header map[string]string
		want   Quota
	}{
		{"none", nil, Quota{}},
		{"draft", map[string]string{"Ratelimit": `"default";r=50;t=30`}, Quota{Remaining: 50, Reset: 30 * second}},
		{"draft with its policy", map[string]string{"Ratelimit": `"default";r=50;t=30`, "Ratelimit-Policy": `"burst";q=9;w=1, "default";q=100;w=60`},
			Quota{50, 30 * second, 100, 60 * second}},
		{"the tightest of two", map[string]string{"Ratelimit": `"day";r=5000;t=3600,"minute"; r=3; t=30`}, Quota{Remaining: 3, Reset: 30 * second}},
		{"draft without a reset", map[string]string{"Ratelimit": `"default";r=50`}, Quota{}},
		{"draft 07", map[string]string{"Ratelimit": "limit=100, remaining=0, reset=5", "Ratelimit-Policy": "100;w=60"}, Quota{0, 5 * second, 100, 60 * second}},
		{"draft 06", map[string]string{"Ratelimit-Limit": "100, 100;w=60", "Ratelimit-Remaining": "7", "Ratelimit-Reset": "2"}, Quota{7, 2 * second, 100, 60 * second}},
		{"X-", map[string]string{"X-Ratelimit-Limit": "100", "X-Ratelimit-Remaining": " 7 ", "X-Ratelimit-Reset": "2"}, Quota{Remaining: 7, Reset: 2 * second}},
		{"a Unix time", map[string]string{"X-Ratelimit-Remaining": "7", "X-Ratelimit-Reset": "1800000042"}, Quota{Remaining: 7, Reset: 42 * second}},
		{"a Unix time in the past", map[string]string{"X-Ratelimit-Remaining": "7", "X-Ratelimit-Reset": "1700000042"}, Quota{}},
		{"negative", map[string]string{"X-Ratelimit-Remaining": "-1", "X-Ratelimit-Reset": "2"}, Quota{}},
		{"garbage", map[string]string{"Ratelimit": "r=t=x;;,", "X-Ratelimit-Remaining": "ten", "X-Ratelimit-Reset": "9e9"}, Quota{}},
		{"too large", map[string]string{"X-Ratelimit-Remaining": "1", "X-Ratelimit-Reset": "99999999999999999999"}, Quota{}},
		{"the newer goes first", map[string]string{"Ratelimit": `"a";r=1;t=2`, "X-Ratelimit-Remaining": "7", "X-Ratelimit-Reset": "2"}, Quota{Remaining: 1, Reset: 2 * second}},
	} {
		if got := ParseQuota(func(name string) string { return c.header[name] }, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzQuota(f *testing.F) {
	f.Add(`"default";r=50;t=30`, `"default";q=100;w=60`, "1", "2")
	f.Add("limit=100, remaining=50, reset=5", "100;w=60", "", "")
	f.Add("", "100, 100;w=60", "7", "1800000042")
	f.Fuzz(func(t *testing.T, limit, policy, remaining, reset string) {
		header := map[string]string{"Ratelimit": limit, "Ratelimit-Policy": policy, "Ratelimit-Limit": policy, "Ratelimit-Remaining": remaining, "Ratelimit-Reset": reset}
		q := ParseQuota(func(name string) string { return header[name] }, 1_800_000_000*second)
		if q.Remaining < 0 || q.Reset < 0 || q.Limit < 0 || q.Window < 0 || (q.Limit == 0) != (q.Window == 0) || q.Reset == 0 && q != (Quota{}) {
			t.Fatalf("%+v", q)
		}
		var bound quota
		bound.said(1, q, 0, DefaultHintCap, second)
		if at := bound.eligible(); at > second+DefaultHintCap {
			t.Fatalf("%+v holds until %d", q, at)
		}
	})
}

func FuzzBreakerRecord(f *testing.F) {
	f.Add(BreakerRecord{}.Append(nil))
	f.Add(BreakerRecord{Until: 1, Since: 80 * second}.Append(nil))
	f.Add(BreakerRecord{Open: true, Until: 90 * second, Opens: 3, Good: 50 * perCall}.Append(nil))
	f.Add(BreakerRecord{Until: -1, Opens: 1, Ramp: 4, Good: fastest}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseBreakerRecord(b)
		if err != nil {
			return
		}
		if again, err := ParseBreakerRecord(r.Append(nil)); err != nil || again != r {
			t.Fatalf("%+v came back as %+v: %v", r, again, err)
		}
		s := New(Config{})
		target := Target{"payments", Compensation}
		s.Configure(target.Scope(), Limits{Breaker: Breaker{Failures: 0.5}}, second)
		s.Restore([]Reservation{{Scope: target.Scope(), Target: TargetState{Breaker: b}}}, second)
		s.Push(Task{Key: sagaKey(1, Compensation), Target: target}, second)
		if s.Next(second); s.Wake() > second+DefaultHintCap+3600*second {
			t.Fatalf("%+v holds until %d", r, s.Wake())
		}
	})
}

// What an earlier version wrote has no time of the last change.
func TestABreakersRecordOfTheFirstVersionIsRead(t *testing.T) {
	want := BreakerRecord{Open: true, Until: 90 * second, Opens: 3, Good: 50 * perCall}
	b := want.Append(nil)
	b = append([]byte{1}, b[1:len(b)-1]...)
	if got, err := ParseBreakerRecord(b); err != nil || got != want {
		t.Errorf("it is %+v, error %v", got, err)
	}
}
