package storm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/gateway"
)

// A process is the server as a process of its own that is killed with -9 again
// and again while the storm lasts.
type process struct {
	*client.Client
	probe  *client.Client // asks once
	args   []string
	every  time.Duration // from when it answers to its end
	cancel context.CancelFunc
	loose  chan struct{} // closed when the storm begins
	calm   chan struct{} // closed when it is over
	killed atomic.Int64
	keeper sync.WaitGroup

	mu      sync.Mutex
	failure error
}

// openProcess starts command with serve behind it.
func openProcess(ctx context.Context, command []string, dir string, w *world, defs []unwind.Definition, every time.Duration) (subject, error) {
	address, err := gateway.FreeAddress(ctx)
	if err != nil {
		return nil, fmt.Errorf("storm: %w", err)
	}
	cfg := config.Config{Listen: address, Store: "sqlite:" + filepath.Join(dir, "unwind.db"), Services: map[string]config.Service{}, Sagas: map[string]unwind.Definition{}}
	for name, p := range w.participants() {
		cfg.Services[name] = config.Service{Participant: p}
	}
	for _, d := range defs {
		cfg.Sagas[d.Name] = d
	}
	text, err := json.Marshal(cfg)
	file := filepath.Join(dir, "unwind.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("storm: writing the server's configuration: %w", err)
	}
	p := &process{args: append(append([]string{}, command...), "serve", "--config", file), every: every, loose: make(chan struct{}), calm: make(chan struct{})}
	for attempts, c := range map[int]**client.Client{12: &p.Client, 1: &p.probe} {
		if *c, err = client.New(client.Config{URL: "http://" + address, Attempts: attempts}); err != nil {
			return nil, fmt.Errorf("storm: %w", err)
		}
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	p.keeper.Go(func() { p.fail(p.keep(life)) })
	waiting, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	if err := p.up(waiting); err != nil {
		return nil, errors.Join(fmt.Errorf("storm: waiting for the server: %w", err), p.close())
	}
	return p, nil
}

// up waits until the server answers, or never will.
func (p *process) up(ctx context.Context) error {
	return poll(ctx, 10*time.Millisecond, func() (bool, error) {
		_, err := p.probe.Stats(ctx)
		return err == nil, p.broken()
	})
}

// keep runs the server, one process after another.
func (p *process) keep(ctx context.Context) error {
	for {
		var said bytes.Buffer
		cmd := exec.Command(p.args[0], p.args[1:]...) //nolint:gosec,noctx // it is this program itself, and keep kills it
		cmd.Stderr = &said
		cmd.SysProcAttr = gateway.Apart()
		for _, v := range os.Environ() { // the file says everything
			if !strings.HasPrefix(v, "UNWIND_") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("storm: starting the server: %w", err)
		}
		ended := make(chan error, 1)
		living, died := context.WithCancel(ctx)
		go func() { ended <- cmd.Wait(); died() }()
		again := p.waitToKill(living)
		select {
		case err := <-ended:
			return fmt.Errorf("storm: the server ended by itself: %w\n%s", err, said.String())
		default:
		}
		_ = cmd.Process.Kill()
		<-ended //nolint:errcheck // it was killed
		if !again {
			return nil
		}
		p.killed.Add(1)
	}
}

// waitToKill returns when the time has come; false: it was the last, or ctx has ended.
func (p *process) waitToKill(ctx context.Context) bool {
	select {
	case <-p.loose:
	case <-ctx.Done():
		return false
	}
	if p.up(ctx) != nil { // however long its start takes, it has its time
		return false
	}
	timer := time.NewTimer(p.every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.calm:
		<-ctx.Done()
	case <-ctx.Done():
	}
	return false
}

func (p *process) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
}

func (p *process) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

func (p *process) begun()     { close(p.loose) }
func (p *process) over()      { close(p.calm) }
func (p *process) kills() int { return int(p.killed.Load()) }

func (p *process) close() error {
	p.cancel()
	p.keeper.Wait()
	return p.broken()
}
