package main

import (
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
)

func TestTooFewDescriptorsAreWarnedOf(t *testing.T) {
	cfg := config.Config{Services: map[string]config.Service{
		"payments": {Participant: unwind.Participant{Forward: unwind.Limits{Concurrency: 900}, Compensation: unwind.Limits{Concurrency: 100}}},
		"shipping": {},
	}}.WithDefaults()
	cfg.Limits.MaxStarts = 1000
	need := neededDescriptors(&cfg)
	if need != 64+1000+64+900+100+256+10 {
		t.Fatalf("it takes %d", need)
	}
	if got := descriptorWarning(&cfg, need); got != "" {
		t.Errorf("enough got %q", got)
	}
	if got := descriptorWarning(&cfg, need-1); !strings.Contains(got, "RLIMIT_NOFILE is 2393") || !strings.Contains(got, "2394") {
		t.Errorf("one too few got %q", got)
	}
}
