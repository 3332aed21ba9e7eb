//go:build !unix

package engine

import "net"

// A peeker can't look at a connection here: a call finds out by itself.
type peeker struct{}

func newPeeker(net.Conn) peeker { return peeker{} }

func (peeker) silent() bool { return true }
