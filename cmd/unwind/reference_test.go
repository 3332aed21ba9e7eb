package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// The page of the command line is made from the commands:
//
//	go test ./cmd/unwind -run Page -update
func TestThePageOfTheCommandLineIsTheCommands(t *testing.T) {
	const file = "../../docs/cli.md"
	var b strings.Builder
	b.WriteString(pageHead)
	root := (&app{}).command()
	b.WriteString("## Flags of every command\n\n")
	writeFlags(&b, root.Flags)
	for _, c := range root.Commands {
		writeCommand(&b, "unwind", c)
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the commands say; write it anew with: go test ./cmd/unwind -run Page -update", file)
	}
}

const pageHead = `# The command line

<!-- Made from the commands by go test ./cmd/unwind -run Page -update. -->

Data goes to stdout, everything else to stderr. ` + "`-o json`" + ` prints one document, ` + "`-o jsonl`" + ` one line for
each item. A table that is wider than its terminal is written as lines that fit; in a pipe it stays a table. Nothing asks questions, and there is no colour. The sessions in
[cmd/unwind/testdata](../cmd/unwind/testdata) show every command at work; they run as tests.

A shell completes commands and flags with ` + "`source <(unwind completion bash)`" + ` (or ` + "`zsh`" + `) in its start-up file; for fish
with ` + "`unwind completion fish > ~/.config/fish/completions/unwind.fish`" + `. There is ` + "`pwsh`" + `, too.

| exit code | means |
|---|---|
| 0 | done |
| 1 | an error: what was asked for did not happen; ` + "`check`" + ` found violations, ` + "`validate`" + ` found faults |
| 2 | the command line, the configuration or the request is not valid |
| 3 | there is no such saga, definition, dead letter or service |
| 4 | the server does not know the token, or its role may not |
| 5 | a conflict: somebody was faster, the saga is past its pivot, the key began a saga with another input |
| 6 | in part: the saga that ` + "`start --wait`" + ` or ` + "`watch`" + ` waited for is undone, at a dead letter, or not at rest yet; ` + "`reconcile`" + ` found a difference, or a service gave no usable answer; some of what an operation replayed failed again |
| 7 | the server can't be reached |
| 130 | interrupted |

`

func writeCommand(b *strings.Builder, path string, c *cli.Command) {
	if c.Hidden || c.Name == "help" || c.Name == completionName {
		return
	}
	path += " " + c.Name
	if len(c.Commands) > 0 && c.ArgsUsage == "" && len(c.Flags) == 0 {
		fmt.Fprintf(b, "## %s: %s\n\n", path, c.Usage)
	} else {
		fmt.Fprintf(b, "## %s\n\n%s.\n\n", strings.TrimSpace(path+" "+c.ArgsUsage), sentence(c.Usage))
		if strings.HasPrefix(c.Description, "unwind ") {
			fmt.Fprintf(b, "```\n%s\n```\n\n", c.Description)
		} else if c.Description != "" {
			fmt.Fprintf(b, "%s\n\n", c.Description)
		}
		writeFlags(b, c.Flags)
	}
	for _, sub := range c.Commands {
		writeCommand(b, path, sub)
	}
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func writeFlags(b *strings.Builder, flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	b.WriteString("| flag | default | |\n|---|---|---|\n")
	for _, f := range flags {
		names := f.Names()
		for i, n := range names {
			names[i] = "`--" + n + "`"
			if len(n) == 1 {
				names[i] = "`-" + n + "`"
			}
		}
		d, _ := f.(cli.DocGenerationFlag)
		text := d.GetUsage()
		if r, ok := f.(cli.RequiredFlag); ok && r.IsRequired() {
			text += "; needed"
		}
		for _, env := range d.GetEnvVars() {
			text += "; or `" + env + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", strings.Join(names, " "), defaultOf(d), text)
	}
	b.WriteString("\n")
}

// defaultOf is a flag's default, where it says something.
func defaultOf(f cli.DocGenerationFlag) string {
	v := strings.Trim(f.GetValue(), `"`)
	switch {
	case v == "" || v == "false" || v == "0s" || v == "[]" || !f.TakesValue():
		return ""
	case strings.HasPrefix(v, os.TempDir()):
		return "a folder in the system's temporary one"
	}
	return "`" + v + "`"
}
