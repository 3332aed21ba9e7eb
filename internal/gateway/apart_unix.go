//go:build unix

package gateway

import "syscall"

// Apart starts a child outside of its parent's group: Ctrl-C is for the parent alone,
// which stops calling before it ends the child.
func Apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
