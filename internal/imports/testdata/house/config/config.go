package config

import (
	_ "example.test/house/internal/planted" // want "a planted bug sits where the simulator can find it"
	_ "github.com/urfave/cli/v3"            // want "flags are wiring"
)
