package engine

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
)

// A host that is down answers nothing, not even that. Connecting gives up before
// the call's time is over, so that it is known that nothing was sent.
func TestAnAddressThatIsSilentWasNotSentTo(t *testing.T) {
	t.Parallel()
	d := newDialogue(t, unwind.Participant{URL: "http://" + silentListener(t), Timeout: 3 * unwind.Second})
	if a := d.attempt(unwind.Action, 3*time.Second); meaning(a) != "not sent" {
		t.Errorf("it came to %q: %s", meaning(a), a.Message)
	}
}

// silentListener returns an address whose backlog is full, so that the kernel
// drops what would connect.
func silentListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
	conn, err := net.Dial("tcp", address) // takes the only place
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return address
}
