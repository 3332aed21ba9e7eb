package main

import (
	"fmt"

	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/flow"
)

// ownDescriptors is what the store, the log, the runtime and a few idle clients take.
const ownDescriptors = 64

// neededDescriptors is how many files and connections the configuration may have
// open at once.
func neededDescriptors(cfg *config.Config) uint64 {
	need := ownDescriptors + cfg.Limits.MaxStarts + api.DefaultMaxStreams
	for _, s := range cfg.Services {
		forward, undo := s.Forward.Concurrency, s.Compensation.Concurrency
		if forward == 0 {
			forward = flow.DefaultForwardConcurrency
		}
		if undo == 0 {
			undo = flow.DefaultCompensationConcurrency
		}
		need += forward + undo
	}
	return uint64(need)
}

// descriptorWarning says what is wrong with a limit of open files; "": nothing.
func descriptorWarning(cfg *config.Config, limit uint64) string {
	if need := neededDescriptors(cfg); limit < need {
		return fmt.Sprintf("RLIMIT_NOFILE is %d, and the configured concurrency and max_starts can take %d; raise it (ulimit -n, or LimitNOFILE= of systemd), or lower those", limit, need)
	}
	return ""
}
