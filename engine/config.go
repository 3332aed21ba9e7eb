package engine

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// Config of an Engine.
type Config struct {
	// Store keeps the sagas. Required. The engine closes it, unless Open fails.
	Store store.Store
	// Node names this process in the journal. Defaults to the host's name.
	Node string
	// Participants are the services that may be called, by name.
	Participants map[string]unwind.Participant
	// Definitions are stored as by PutDefinition when the engine opens. One that
	// has Go functions must be given at every start that has its sagas.
	Definitions []unwind.Definition
	// Compensation limits all compensations together. Defaults to no limit. Burst
	// defaults to what goes in 10 ms at the rate that holds, 2 at least.
	Compensation unwind.Limits
	// MaxActive bounds the sagas in memory. Defaults to 131072.
	MaxActive int
	// MaxActiveBytes bounds the inputs of the sagas in memory; starts beyond it are
	// refused as overloaded. Defaults to 268435456 (256 MiB).
	MaxActiveBytes int
	// Retention is how long completed and compensated sagas are kept.
	// Defaults to 720h; negative keeps them for ever.
	Retention unwind.Duration
	// KeyRetention is how long the key of such a saga stays taken: a start with it is
	// answered as before, also when the saga itself is deleted. Defaults to Retention,
	// which is the least; negative keeps keys for ever.
	KeyRetention unwind.Duration
	// Hold: call nobody and move no saga before Release, as after a restore. Starts
	// and what operators ask of sagas are refused as [unwind.Held]. Every process
	// that is opened so is on hold anew.
	Hold bool
	// Transport makes HTTP calls. Defaults to one of the engine's own that
	// refuses private addresses (see Participant.AllowPrivate).
	Transport http.RoundTripper
	// AlertRules say what a person must hear of. Defaults to those of
	// unwind.AlertRules.
	AlertRules unwind.AlertRules
	// AlertLinks are where alerts lead to. Defaults to paths.
	AlertLinks AlertLinks
	// Metrics registers the engine's metrics. Defaults to none.
	Metrics prometheus.Registerer
	// Logger defaults to slog.Default.
	Logger *slog.Logger
	// Clock is asked once, when the engine opens; from then on time goes on
	// evenly, whatever the clock does. Defaults to time.Now.
	Clock func() time.Time
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	if c.Node == "" {
		c.Node, _ = os.Hostname()
	}
	if c.Retention == 0 {
		c.Retention = 720 * unwind.Hour
	}
	if c.KeyRetention == 0 {
		c.KeyRetention = c.Retention
	}
	c.AlertRules = c.AlertRules.WithDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

func (c *Config) validate() error {
	if c.Store == nil {
		return fmt.Errorf("opening the engine: Config.Store is not set; use sqlite.Open or memory.New")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Participants)) {
		p := c.Participants[name]
		if faults := refusing(p.Validate()); len(faults) > 0 {
			err := unwind.Errorf(unwind.InvalidRequest, "opening the engine: the service %q has %d faults; the first: %s", name, len(faults), faults[0])
			err.Faults = faults
			return err
		}
	}
	for i := range c.Definitions {
		if faults := refusing(c.Definitions[i].Validate(c.Participants)); len(faults) > 0 {
			return invalidDefinition(c.Definitions[i].Name, faults)
		}
	}
	return nil
}

// refusing leaves warnings out.
func refusing(faults []unwind.Fault) []unwind.Fault {
	var hard []unwind.Fault
	for _, f := range faults {
		if !f.Warning {
			hard = append(hard, f)
		}
	}
	return hard
}

func invalidDefinition(name string, faults []unwind.Fault) error {
	err := unwind.Errorf(unwind.InvalidRequest, "the definition of saga %q has %d faults; the first: %s", name, len(faults), faults[0])
	err.Faults = faults
	return err
}
