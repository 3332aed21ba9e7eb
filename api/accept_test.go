package api_test

import (
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/unwindhq/unwind/api"
)

// An exhausted listener has no descriptor for those who come first.
type exhausted struct {
	net.Listener
	left int
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.left--; l.left >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestThatNobodyCanConnectIsOneWarning(t *testing.T) {
	f := newFixture(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := api.Server(f.handler)
	served := make(chan error, 1)
	go func() { served <- server.Serve(&exhausted{Listener: l, left: 4}) }()
	f.url = "http://" + l.Addr().String()
	if r := f.do("GET", "/livez", ""); r.status != http.StatusOK {
		t.Errorf("who waited got %d", r.status)
	}
	f.http.CloseIdleConnections()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
	text := f.log.String()
	if n := strings.Count(text, "connections can't be accepted"); n != 1 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "too many open files") {
		t.Errorf("the log warns %d times:\n%s", n, text)
	}
}
