package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write what cmp finds into the scripts, and the page of the command line anew")

// binary is the command as a file: this test binary under another name, so that
// it can be run, killed, and run by itself.
var binary string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "unwind" {
		main()
	}
	// Sessions wait for processes: more of them go at once than there are processors.
	code, err := 1, flag.Set("test.parallel", "6")
	if err == nil {
		code, err = testMain(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "unwind-command-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	binary = filepath.Join(dir, "unwind")
	if err := link(self, binary); err != nil {
		return 1, err
	}
	if code = m.Run(); code == 0 {
		err = goleak.Find()
	}
	return code, err
}

// link makes a second name of a file, or a copy where that does not go.
func link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
