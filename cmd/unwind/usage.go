package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

// errUsage marks an error that the caller's words made.
type errUsage struct{ error }

func usagef(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }

// usageError tells what the library has found.
func usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	return usagef("%s; %s --help shows its flags", plainUsage(err), c.FullName())
}

// arg returns the only argument of a command.
func arg(c *cli.Command, what string) (string, error) {
	words, err := arguments(c, what)
	if err != nil {
		return "", err
	}
	return words[0], nil
}

// arguments returns those of a command that needs one for each of what.
func arguments(c *cli.Command, what ...string) ([]string, error) {
	needs := c.FullName() + " needs " + strings.Join(what, " and ")
	words := c.Args().Slice()
	if len(words) != len(what) {
		return nil, usagef("%s, and nothing else; %s --help says more", needs, c.FullName())
	}
	for _, word := range words {
		if strings.TrimSpace(word) == "" {
			return nil, usagef("%s, and got an empty word; is a variable of the shell not set?", needs)
		}
	}
	return words, nil
}

// named returns the only argument of a command, and a client to ask about it.
func (a *app) named(c *cli.Command, what string) (*client.Client, string, error) {
	word, err := arg(c, what)
	if err != nil {
		return nil, "", err
	}
	cl, err := a.client(c)
	return cl, word, err
}

// refuseStrays makes every command answer a word that it does not know.
func refuseStrays(cmd *cli.Command) {
	for _, c := range cmd.Commands {
		c.OnUsageError = cmd.OnUsageError
		c.HideHelpCommand = len(c.Commands) == 0 // else the library takes an argument "h" for its own
		switch do := c.Action; {
		case len(c.Commands) > 0 && do == nil:
			c.Action = func(_ context.Context, c *cli.Command) error {
				if c.Args().Present() {
					return usagef("there is no command %q; %s --help lists them", c.Name+" "+c.Args().First(), c.FullName())
				}
				return cli.ShowSubcommandHelp(c)
			}
		case c.ArgsUsage == "":
			c.Action = func(ctx context.Context, c *cli.Command) error {
				if c.Args().Present() {
					return usagef("%s takes no arguments, and %q is one; %s --help shows its flags", c.FullName(), c.Args().First(), c.FullName())
				}
				return do(ctx, c)
			}
		}
		refuseStrays(c)
	}
}

// helpAlone leaves a command and its --help of a line that asks for help: the library
// would take the ID of "saga get ID --help" for a command.
func helpAlone(cmd *cli.Command, line []string) []string {
	path := line[:1:1]
	for _, word := range line[1:] {
		if word == "--" {
			break
		}
		if word == completionName {
			return line // the library adds it later
		}
		if word == "--help" || word == "-h" {
			return append(path, "--help")
		}
		if sub := cmd.Command(word); sub != nil {
			path, cmd = append(path, word), sub
		}
	}
	return line
}

// usageWords turn the library's words into this command's.
var usageWords = [...]struct {
	theirs *regexp.Regexp
	ours   string
}{
	{regexp.MustCompile(`^flag provided but not defined: (-.*)$`), `there is no flag $1`},
	{regexp.MustCompile(`^Required flags? "(.*)" not set$`), `it needs --$1`},
	{regexp.MustCompile(`^flag needs an argument: (-.*)$`), `the flag $1 needs a value`},
	{regexp.MustCompile(`^invalid value (".*") for flag (-\S+): (?:strconv\.\w+: parsing ".*": .*|parse error)$`), `$1 is not a value for $2`},
	{regexp.MustCompile(`^invalid value ".*" for flag (-\S+): (?:time: )?(.*)$`), `$1: $2`},
}

// strangeUnit is a duration whose unit Go does not know.
var strangeUnit = regexp.MustCompile(`^invalid value "(.*)" for flag (-\S+): time: unknown unit .*$`)

// longFlag finds flags that the library has shown with one dash.
var longFlag = regexp.MustCompile(`(^|\s)-(\w[\w-]+)`)

// plainUsage says what is wrong with a command line.
func plainUsage(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "Required flags") {
		text = strings.ReplaceAll(text, ", ", ", --")
	}
	if m := strangeUnit.FindStringSubmatch(text); m != nil {
		if err := new(unwind.Duration).UnmarshalText([]byte(m[1])); err != nil {
			return "-" + m[2] + ": " + err.Error()
		}
	}
	for _, w := range usageWords {
		if w.theirs.MatchString(text) {
			return longFlag.ReplaceAllString(w.theirs.ReplaceAllString(text, w.ours), "$1--$2")
		}
	}
	return text
}
