package machine

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the machine does into testdata/*.txt")

// Each transcript plays one scenario: a command, a line of dashes, and what the
// machine did. The transcripts are the specification; read a difference before
// rewriting it.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("the machine went another way:\n%s", difference(string(want), got))
			}
		})
	}
}

// play runs the commands of a transcript and returns it with their output.
func play(script string) string {
	var out strings.Builder
	var s session
	lines := strings.Split(strings.TrimRight(script, "\n"), "\n")
	for i := 0; i < len(lines); {
		if lines[i] == "" || strings.HasPrefix(lines[i], "#") {
			out.WriteString(lines[i] + "\n")
			i++
			continue
		}
		command := lines[i]
		i++
		var body []string
		for ; i < len(lines) && lines[i] != "----" && lines[i] != ""; i++ {
			body = append(body, lines[i])
		}
		for ; i < len(lines) && lines[i] != ""; i++ { // the old output
		}
		out.WriteString(strings.Join(append([]string{command}, body...), "\n") + "\n----\n" + s.run(command, body))
	}
	return out.String()
}

// difference shows the first line that differs, with what comes before it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i < len(g) && w[i] == g[i] {
			continue
		}
		from := max(0, i-8)
		return strings.Join(w[from:i], "\n") + "\nwant:\n" + strings.Join(w[i:min(i+6, len(w))], "\n") + "\ngot:\n" + strings.Join(g[min(i, len(g)):min(i+6, len(g))], "\n")
	}
	return "more follows: " + strings.Join(g[len(w):], "\n")
}
