//go:build planted

package flow

import "time"

var started = time.Now() // want "time.Now in ./internal/flow"
