//go:build !linux

package bench

// MachineTime returns zero: only Linux tells of it in a file.
func MachineTime() Ticks { return Ticks{} }
