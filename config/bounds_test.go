package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/config"
)

// What would keep the parser busy for minutes is refused, and says so.
func TestFilesThatWouldExhaustTheParserAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, why string }{
		"size":          {"a: " + strings.Repeat("x", 1<<20), "(1 MiB)"},
		"open brackets": {strings.Repeat("[", 100_000), "nested too deeply"},
		"dashes":        {strings.Repeat("- ", 100_000), "nested too deeply"},
		"keys":          {strings.Repeat("a:\n", 300_000), "more words and marks"},
		"entries":       {strings.Repeat("-\n", 400_000), "more words and marks"},
		"blank lines":   {"a: |\n" + strings.Repeat(" \n", 400_000), "blank lines"},
		"blank CR":      {"a: |\r" + strings.Repeat(" \r", 400_000), "blank lines"},
		"json depth":    {strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "nested too deeply"},
		"json values":   {`{"sagas":[` + strings.Repeat("1,", 200_000) + "1]}", "more than 100000 values"},
		"long aliases":  {"sagas: {a: &a " + strings.Repeat("x", 500_000) + ", b: [" + strings.Repeat("*a,", 10_000) + "]}", "more than 100000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse("unwind.yaml", []byte(c.file), nil)
			var refused *config.Error
			if !errors.As(err, &refused) || len(refused.Faults) != 1 || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %.300v, want one fault with %q", err, c.why)
			}
		})
	}
}
