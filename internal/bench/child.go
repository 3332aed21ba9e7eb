package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Ready is a child's first line.
type Ready struct {
	URL string `json:"url,omitempty"`
}

// A Request is one line to a child.
type Request struct {
	Do   string          `json:"do"`
	With json.RawMessage `json:"with,omitempty"`
}

// An answer is the child's line.
type answer struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Converse is the child's side: it says that it is ready, and answers requests
// until in ends, which is what the parent's end does to it.
func Converse(in io.Reader, out io.Writer, ready Ready, handle func(Request) (any, error)) error {
	to := json.NewEncoder(out)
	if err := to.Encode(ready); err != nil {
		return fmt.Errorf("saying that the child is ready: %w", err)
	}
	for from := json.NewDecoder(in); ; {
		var req Request
		if err := from.Decode(&req); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading a request: %w", err)
		}
		var a answer
		result, err := handle(req)
		if err == nil {
			a.Result, err = json.Marshal(result)
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := to.Encode(a); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}

// A child is a process that was started.
type child struct {
	Ready
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *json.Decoder
	role  string
}

// begin starts a child. It ends with ctx.
func (r *run) begin(ctx context.Context, role string, args ...string) (*child, error) {
	words := append(append(append([]string{}, r.Command[1:]...), role), args...)
	cmd := exec.CommandContext(ctx, r.Command[0], words...) //nolint:gosec // it is this program itself
	cmd.WaitDelay = 30 * time.Second
	for _, v := range os.Environ() { // the file of a child says everything
		if !strings.HasPrefix(v, "UNWIND_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, childMark+"=1")
	if r.Profiles != "" {
		r.stores++
		cmd.Env = append(cmd.Env, profileMark+"="+filepath.Join(r.Profiles, fmt.Sprintf("%s-%s-%d.pprof", r.name, role, r.stores)))
	}
	cmd.Stderr = r.Progress
	c := &child{cmd: cmd, role: role}
	var err error
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", role, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the %s: %w", role, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", role, err)
	}
	c.out = json.NewDecoder(bufio.NewReader(stdout))
	if err := c.out.Decode(&c.Ready); err != nil {
		c.kill()
		return nil, fmt.Errorf("starting the %s: it did not come up: %w", role, err)
	}
	return c, nil
}

// childMark is set in the environment of every child; profileMark names the file
// of its CPU profile.
const (
	childMark   = "BENCH_CHILD"
	profileMark = "BENCH_PROFILE"
)

// ask sends a request and reads its answer.
func (c *child) ask(do string, with, result any) error {
	req := Request{Do: do}
	var a answer
	var err error
	if req.With, err = json.Marshal(with); err == nil {
		err = json.NewEncoder(c.stdin).Encode(req)
	}
	if err == nil {
		err = c.out.Decode(&a)
	}
	switch {
	case err != nil:
		return fmt.Errorf("asking the %s to %s: %w", c.role, do, err)
	case a.Error != "":
		return fmt.Errorf("the %s could not %s: %s", c.role, do, a.Error)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(a.Result, result); err != nil {
		return fmt.Errorf("reading what the %s answered: %w", c.role, err)
	}
	return nil
}

// end lets the child end by itself, and waits for it.
func (c *child) end() error {
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("ending the %s: %w", c.role, err)
	}
	return nil
}

// kill ends the child with SIGKILL. One that has ended is left alone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.stdin.Close()
	_ = c.cmd.Wait()
}
