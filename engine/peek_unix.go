//go:build unix

package engine

import (
	"errors"
	"net"
	"syscall"
)

// A peeker looks whether something has come over a connection, without waiting.
type peeker struct {
	raw  syscall.RawConn // nil: it can't look
	look func(fd uintptr) bool
	last *error // of the look
}

func newPeeker(conn net.Conn) peeker {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return peeker{}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return peeker{}
	}
	last := new(error)
	return peeker{raw: raw, last: last, look: func(fd uintptr) bool {
		var b [1]byte
		_, _, *last = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	}}
}

// silent reports whether nothing has come, nor the end.
func (p *peeker) silent() bool {
	return p.raw == nil || p.raw.Read(p.look) == nil && (errors.Is(*p.last, syscall.EAGAIN) || errors.Is(*p.last, syscall.EWOULDBLOCK))
}
