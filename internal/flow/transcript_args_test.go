package flow

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func key(name string, lane Lane) (k TaskKey) {
	copy(k.Saga[:], name)
	k.Lane = lane
	return k
}

// args are the words of a command: a scope, and name=value pairs. A target is
// service/lane, a saga type type/name, and every compensation all.
type args struct {
	t     *testing.T
	line  string
	words []string
}

func (a args) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatalf("%s: %v", a.line, err)
	}
}

func (a args) get(name string) string {
	for _, w := range a.words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

func (a args) number(name string) int {
	v := a.get(name)
	if v == "" {
		return 0
	}
	if v == "unlimited" {
		return Unlimited
	}
	n, err := strconv.Atoi(v)
	a.must(err)
	return n
}

func (a args) duration(text string) int64 {
	a.t.Helper()
	d, err := time.ParseDuration(text)
	a.must(err)
	return int64(d)
}

func (a args) scope() Scope {
	for _, w := range a.words {
		if w == "all" {
			return Scope{Kind: ScopeAll}
		}
		if !strings.Contains(w, "=") {
			if before, after, ok := strings.Cut(w, "/"); ok {
				switch {
				case before == "type":
					return Scope{Kind: ScopeSagaType, Name: after}
				case before == "tenant":
					name, tenant, _ := strings.Cut(after, "/")
					return Scope{Kind: ScopeTenant, Name: name, Tenant: tenant}
				case after == "forward":
					return Scope{Kind: ScopeForward, Name: before}
				}
				return Scope{Kind: ScopeCompensation, Name: before}
			}
		}
	}
	a.t.Fatalf("no scope: %s", a.line)
	return Scope{}
}

func (a args) lane() Lane {
	if strings.Contains(a.line, "/forward") {
		return Forward
	}
	return Compensation
}

func (a args) task(name string, now int64) Task {
	target := a.scope().Target()
	task := Task{Key: key(name, target.Lane), Target: target, SagaType: a.get("type"), Tenant: a.get("tenant"), Due: now}
	if d := a.get("due"); d != "" {
		task.Due = a.duration(d)
	}
	switch a.get("class") {
	case "money":
		task.Class = Money
	case "low":
		task.Class = Low
	}
	return task
}

// quota reads quota=remaining/reset, or quota=remaining/reset/limit/window.
func (a args) quota() (q Quota) {
	v := strings.Split(a.get("quota"), "/")
	if len(v) < 2 {
		return q
	}
	n, err := strconv.ParseInt(v[0], 10, 64)
	a.must(err)
	q.Remaining, q.Reset = n, a.duration(v[1])
	if len(v) == 4 {
		q.Limit, err = strconv.ParseInt(v[2], 10, 64)
		a.must(err)
		q.Window = a.duration(v[3])
	}
	return q
}
