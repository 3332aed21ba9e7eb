package main

import (
	"fmt"
	"strings"
	"testing"
)

// Only what is no whole line was cut off; what was edited is said to be, at its line.
func TestALastLineThatWasEditedWasNotCutOff(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	row := func(id int) string {
		return fmt.Sprintf(`{"id":%d,"at":"2026-11-23T00:00:00Z","actor":"ann","action":"pause","target":"service shop","previous":%q,"hash":%q}`, id, hash, hash)
	}
	head := fmt.Sprintf(`{"head":{"id":2,"hash":%q,"count":2}}`, hash)
	edit := func(line string) string { return strings.Replace(line, hash, "zz"+hash[2:], 1) }
	for _, c := range []struct {
		name, text string
		lines      int
		want       string // of the error
	}{
		{"as it was written", row(1) + "\n" + row(2) + "\n" + head + "\n", 3, ""},
		{"its end is missing", row(1) + "\n" + row(2) + "\n" + head, 3, ""},
		{"a head is cut off", row(1) + "\n" + row(2) + "\n" + head[:len(head)-2], 2, ""},
		{"a row is cut off", row(1) + "\n" + row(2)[:60], 1, ""},
		{"a last row is edited", row(1) + "\n" + edit(row(2)), 1, "line 2: \"zz"},
		{"a last head is edited", row(1) + "\n" + row(2) + "\n" + edit(head), 2, "line 3: \"zz"},
		{"a last head counts in words", row(1) + "\n" + strings.Replace(head, `"count":2`, `"count":"two"`, 1), 1, "line 2: "},
		{"blank lines are lines", "\n" + row(1) + "\n\n \r\n" + edit(row(2)) + "\n", 1, "line 5: \"zz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := 0
			err := exportLines(strings.NewReader(c.text), func(*exportLine) { lines++ })
			if lines != c.lines || (err != nil) != (c.want != "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%d lines, %v", lines, err)
			}
		})
	}
}
