package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/unwindhq/unwind/internal/demo"
)

// launch starts a participant as a process of its own.
func launch(t testing.TB, o demo.Options) (*exec.Cmd, demo.Ready) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asParticipant+"="+string(text))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready demo.Ready
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	return cmd, ready
}

func TestAKilledParticipantKeepsEverythingItAnswered(t *testing.T) {
	o := demo.Options{Name: demo.Payments, Dir: t.TempDir(), CallLog: true}
	order := demo.Orders(1, 1)[0]
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	defer transport.CloseIdleConnections()

	var mu sync.Mutex
	answered := map[string]string{} // saga to body
	sagas := 0
	for round := range 3 {
		cmd, ready := launch(t, o)
		var callers sync.WaitGroup
		enough := make(chan struct{}, 1000)
		for w := range 4 {
			callers.Go(func() {
				for i := 0; ; i++ {
					saga := fmt.Sprintf("s-%d-%d-%d", round, w, i)
					mu.Lock()
					sagas++
					mu.Unlock()
					r, err := call(t.Context(), client, ready.URL+"/charge", saga, "charge", do, order)
					if err != nil {
						return // killed
					}
					if r.status != 200 {
						t.Errorf("%s: %+v", saga, r)
						return
					}
					mu.Lock()
					answered[saga] = r.body
					mu.Unlock()
					select {
					case enough <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 20 {
			<-enough
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		callers.Wait()
		_ = cmd.Wait()
		transport.CloseIdleConnections()
	}

	_, ready := launch(t, o)
	_, before, err := demo.FetchBooks(t.Context(), client, ready.URL)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(before); n < len(answered) || n > sagas {
		t.Errorf("%d charges in the books; %d were answered, %d asked for", n, len(answered), sagas)
	}
	for saga, body := range answered { // the same key again: the stored answer
		if r, err := call(t.Context(), client, ready.URL+"/charge", saga, "charge", do, order); err != nil || r.status != 200 || r.body != body {
			t.Errorf("%s: %+v, %v; want %s", saga, r, err, body)
		}
	}
	books, after, err := demo.FetchBooks(t.Context(), client, ready.URL)
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) || books.Payments.Charges != int64(len(after)) || books.Payments.NetCents != int64(len(after))*order.TotalCents {
		t.Errorf("%d charges before, %d after, books %+v", len(before), len(after), books.Payments)
	}
}

func TestAParticipantTellsItsAddressAndStopsCleanly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- demo.RunParticipant(ctx, demo.Options{Name: demo.Shipping, Dir: t.TempDir()}, writer)
		writer.Close()
	}()
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready demo.Ready
	if err := json.Unmarshal(line, &ready); err != nil || ready.Participant != demo.Shipping || ready.URL != "http://"+ready.Address || ready.PID != os.Getpid() {
		t.Errorf("ready: %s, %v", line, err)
	}
	if body := read(t, ready.URL+"/livez"); !strings.Contains(body, "ok") {
		t.Errorf("livez: %s", body)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestRunParticipantSaysWhyItDoesNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var stdout bytes.Buffer
	err = demo.RunParticipant(t.Context(), demo.Options{Name: demo.Shipping, Dir: t.TempDir(), Listen: taken.Addr().String()}, &stdout)
	if err == nil || !strings.Contains(err.Error(), "address already in use") || stdout.Len() > 0 {
		t.Errorf("got %v, %s", err, stdout.String())
	}
	err = demo.RunParticipant(t.Context(), demo.Options{Name: demo.Shipping, Dir: t.TempDir()}, broken{})
	if err == nil || !strings.Contains(err.Error(), "tell the address") {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }
