//go:build !linux

package engine

// bootClock knows nothing here: the wall clock is all there is.
func bootClock() (boot [16]byte, up int64) { return boot, 0 }
