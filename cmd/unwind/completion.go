package main

import (
	"context"
	_ "embed"
	"io"

	"github.com/urfave/cli/v3"
)

// completionName is the command that the library adds.
const completionName = "completion"

// The library's script for bash needs a package that many systems lack, and
// carries out what is on the line.
//
//go:embed completion.bash
var bashCompletion string

func (a *app) configureCompletion(c *cli.Command) {
	c.Hidden = false
	c.Usage = "print what makes a shell complete commands and flags: bash, zsh, fish or pwsh"
	for _, shell := range c.Commands {
		shell.Usage = "for " + shell.Name
		if shell.Name == "bash" {
			shell.Action = func(context.Context, *cli.Command) error {
				_, err := io.WriteString(a.stdout, bashCompletion)
				return err
			}
		}
	}
	refuseStrays(&cli.Command{OnUsageError: usageError, Commands: []*cli.Command{c}})
}
