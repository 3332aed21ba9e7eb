package flow

import (
	"strconv"
	"strings"
)

// ParseQuota reads what an answer's headers say of the service's own limit.
// header returns the value of a header by its canonical name ("Ratelimit-Reset"),
// "" when there is none, several joined by commas; now is the Unix time in ns. It understands, in this order:
//
//	RateLimit: "default";r=50;t=30          draft-ietf-httpapi-ratelimit-headers-08 and later,
//	RateLimit-Policy: "default";q=100;w=60  with the policy of the same name
//	RateLimit: limit=100, remaining=50, reset=30                    up to -07
//	RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset           up to -06
//	X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset
//
// Of several policies the one counts that leaves the fewest calls per second. A
// reset of more than ten years is a Unix time. What can't be read says nothing.
func ParseQuota(header func(name string) string, now int64) Quota {
	limit := header("Ratelimit")
	policy := header("Ratelimit-Policy")
	if strings.Contains(limit, "=") {
		if q, ok := namedQuota(limit, policy, now); ok {
			return q
		}
		return pairsQuota(limit, policy, now)
	}
	for _, names := range [...][3]string{
		{"Ratelimit-Remaining", "Ratelimit-Reset", "Ratelimit-Limit"},
		{"X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Ratelimit-Limit"},
	} {
		remaining, reset := header(names[0]), header(names[1])
		if remaining == "" || reset == "" {
			continue
		}
		q, ok := quotaOf(integer(remaining), integer(reset), now)
		if !ok {
			continue
		}
		// "100, 100;w=60": the limit, then the policies.
		own, rest, _ := strings.Cut(header(names[2]), ",")
		q.policy(rest, integer(own))
		if q.Window == 0 {
			q.policy(policy, integer(own))
		}
		return q
	}
	return Quota{}
}

// namedQuota reads items with the parameters r and t.
func namedQuota(limit, policy string, now int64) (best Quota, found bool) {
	for item := range strings.SplitSeq(limit, ",") {
		name, p := parameters(item)
		q, ok := quotaOf(p('r'), p('t'), now)
		if !ok {
			continue
		}
		for rule := range strings.SplitSeq(policy, ",") {
			if of, p := parameters(rule); of == name {
				q.set(p('q'), p('w'))
			}
		}
		if !found || q.tighter(best) {
			best, found = q, true
		}
	}
	return best, found
}

// pairsQuota reads "limit=100, remaining=50, reset=30".
func pairsQuota(limit, policy string, now int64) Quota {
	v := map[string]int64{"limit": -1, "remaining": -1, "reset": -1}
	for pair := range strings.SplitSeq(limit, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if _, known := v[name]; known {
			v[name] = integer(value)
		}
	}
	q, _ := quotaOf(v["remaining"], v["reset"], now)
	q.policy(policy, v["limit"])
	return q
}

// parameters splits an item of a structured field: its name, and its one-letter
// parameters, -1 where they are missing.
func parameters(item string) (name string, get func(letter byte) int64) {
	name, rest, _ := strings.Cut(item, ";")
	return strings.TrimSpace(name), func(letter byte) int64 {
		for p := range strings.SplitSeq(rest, ";") {
			if p = strings.TrimSpace(p); len(p) > 2 && p[0] == letter && p[1] == '=' {
				return integer(p[2:])
			}
		}
		return -1
	}
}

// quotaOf checks what was read; seconds may be a time.
func quotaOf(remaining, seconds, now int64) (q Quota, ok bool) {
	const tenYears = 10 * 366 * 24 * 3600
	if seconds > tenYears {
		seconds -= now / second
	}
	if remaining < 0 || seconds <= 0 || seconds > tenYears {
		return q, false
	}
	return Quota{Remaining: remaining, Reset: seconds * second}, true
}

// policy takes the window of the first policy "100;w=60" for that limit.
func (q *Quota) policy(policies string, limit int64) {
	for rule := range strings.SplitSeq(policies, ",") {
		name, p := parameters(rule)
		if n := integer(name); n > 0 && (limit < 0 || n == limit) && p('w') > 0 {
			q.set(n, p('w'))
			return
		}
	}
}

func (q *Quota) set(limit, seconds int64) {
	if limit > 0 && seconds > 0 && seconds <= longest/second && q.Reset > 0 {
		q.Limit, q.Window = limit, seconds*second
	}
}

// tighter reports whether q leaves fewer calls per second.
func (q *Quota) tighter(o Quota) bool {
	return float64(q.Remaining)*float64(o.Reset) < float64(o.Remaining)*float64(q.Reset)
}

// integer reads a number that is not negative; -1 is none.
func integer(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
