package machine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

// parsePlan reads the short form of a definition: a line per step,
//
//	charge: undo refund, pivot, async, status, attempts 5, timeout 2s, lifetime 24h
//	label: undo none, after reserve+charge
//	wait: delay 10m
//	approve: signal 1h
//
// A line without a colon holds the options of the saga: deadline 10m, block,
// give_up 72h. The service of a step bears the step's name.
func parsePlan(name string, lines []string) (*Plan, error) {
	def := &unwind.Definition{Name: name}
	participants := map[string]unwind.Participant{}
	for _, line := range lines {
		if !strings.Contains(line, ":") {
			sagaOptions(def, line)
			continue
		}
		step, options, _ := strings.Cut(line, ":")
		s := unwind.Step{Name: step, Action: &unwind.Call{Service: step, Path: "/" + step}}
		part := unwind.Participant{URL: "http://" + step}
		for _, option := range strings.Split(options, ",") {
			stepOption(&s, &part, strings.Fields(option))
		}
		if s.Kind != "" {
			s.Action = nil
		}
		def.Steps = append(def.Steps, s)
		participants[step] = part
	}
	for _, f := range def.Validate(participants) {
		if !f.Warning {
			return nil, fmt.Errorf("%s: %s", f.Pointer, f.Message)
		}
	}
	return Compile(def, participants)
}

func sagaOptions(def *unwind.Definition, line string) {
	for _, option := range strings.Split(line, ",") {
		switch f := strings.Fields(option); f[0] {
		case "deadline":
			def.Deadline = duration(f[1])
		case "give_up":
			def.GiveUpAfter = duration(f[1])
		case "block":
			def.OnDeadLetter = unwind.Block
		default:
			panic("unknown option " + option)
		}
	}
}

func stepOption(s *unwind.Step, part *unwind.Participant, f []string) {
	if len(f) == 0 {
		return
	}
	switch f[0] {
	case "undo":
		if f[1] == "none" {
			s.Compensation = unwind.None
		} else {
			s.Compensation = &unwind.Call{Service: s.Name, Path: "/" + f[1]}
		}
	case "after":
		s.After = []string{}
		if len(f) > 1 {
			s.After = strings.Split(f[1], "+")
		}
	case "pivot":
		s.Pivot = true
	case "async":
		s.Action.Async = true
	case "async_undo":
		s.Compensation.Async = true
	case "status":
		part.Status = "/status"
	case "lifetime":
		part.KeyLifetime = duration(f[1])
	case "timeout":
		part.Timeout = duration(f[1])
	case "settle":
		part.Settle = duration(f[1])
	case "attempts":
		s.Retry = &unwind.Retry{Attempts: atoi(f[1])}
	case "undo_attempts":
		s.CompensationRetry = &unwind.Retry{Attempts: atoi(f[1])}
	case "body":
		s.Action.Body = json.RawMessage(strings.Join(f[1:], " "))
	case "delay":
		s.Kind, s.For = unwind.DelayStep, duration(f[1])
	case "signal":
		s.Kind = unwind.SignalStep
		if len(f) > 1 {
			s.Timeout = duration(f[1])
		}
	default:
		panic("unknown option " + strings.Join(f, " "))
	}
}

func duration(s string) unwind.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return unwind.Duration(d)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
