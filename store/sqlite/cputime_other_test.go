//go:build !unix

package sqlite

import "time"

var begun = time.Now()

// cpuTime is the time of the clock, for want of a better.
func cpuTime() time.Duration { return time.Since(begun) }
