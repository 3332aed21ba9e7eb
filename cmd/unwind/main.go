// Command unwind runs sagas: the server, the tools around it, and the client.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals // the first one stops cleanly
		cancel()
		<-signals // the second one does not wait for that
		os.Exit(exitInterrupted)
	}()
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: its exit code is the answer.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: os.LookupEnv, columns: columnsOf(stdout)}
	cmd := a.command()
	return a.exit(ctx, cmd.Run(ctx, helpAlone(cmd, args)))
}
