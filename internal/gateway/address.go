package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddress finds an address of this machine for a server that is stopped and started
// again: its port is below those that the system gives to connections and to listeners
// that name none, so that nobody has it meanwhile.
func FreeAddress(ctx context.Context) (address string, err error) {
	var l net.Listener
	for range 200 {
		address = "127.0.0.1:" + strconv.Itoa(12_000+rand.IntN(20_000)) //nolint:gosec // chance, not a secret
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", fmt.Errorf("gateway: finding a free address: %w", err)
}
