package history_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/sagatest/history"
)

const definitions = `{"sagas":{"order":{"steps":[{"name":"charge","action":{"service":"p","path":"/c"},"compensation":"none"}]}}}`

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	started := `{"t":1,"event":"journal","saga":"s","seq":1,"kind":"saga_started","name":"order"}` + "\n"
	for _, tt := range []struct{ name, file, text, want string }{
		{"garbage", "engine-a.jsonl", started + "garbage\n", "engine-a.jsonl:2: "},
		{"an unknown field", "client.jsonl", `{"t":1,"event":"invoke","op":"get","sga":"s"}` + "\n", `client.jsonl:1: json: unknown field "sga"`},
		{"two objects", "client.jsonl", `{"t":1,"event":"invoke","op":"get"} {}` + "\n", "client.jsonl:1: there is more"},
		{"an unknown event", "engine-a.jsonl", `{"t":1,"event":"journel"}` + "\n", `engine-a.jsonl:1: event "journel"`},
		{"an unknown kind", "engine-a.jsonl", `{"t":1,"event":"journal","saga":"s","seq":1,"kind":"saga_begun"}` + "\n", `engine-a.jsonl:1: kind "saga_begun"`},
		{"no seq", "engine-a.jsonl", `{"t":1,"event":"journal","saga":"s","kind":"saga_started"}` + "\n", "engine-a.jsonl:1: a journal line needs"},
		{"an end without a state", "engine-a.jsonl", `{"t":1,"event":"journal","saga":"s","seq":1,"kind":"saga_ended","data":{"status":"over"}}` + "\n", "engine-a.jsonl:1: saga_ended needs"},
		{"a return without an outcome", "participant-p.jsonl", `{"t":1,"event":"return","saga":"s","step":"charge","direction":"action"}` + "\n", "participant-p.jsonl:1: a return needs an outcome"},
		{"an unknown direction", "participant-p.jsonl", `{"t":1,"event":"invoke","saga":"s","step":"charge","direction":"back"}` + "\n", `participant-p.jsonl:1: direction "back"`},
		{"a journal line of a participant", "participant-p.jsonl", started, `participant-p.jsonl:1: event "journal" does not belong`},
		{"a bad time", "client.jsonl", `{"t":"yesterday","event":"invoke","op":"get"}` + "\n", `client.jsonl:1: "yesterday" is not a time`},
		{"a torn line", "client.jsonl", `{"t":1,"event":"invoke","op":"get"}` + "\n" + `{"t":2,"eve`, "client.jsonl:2: the last line is cut off"},
		{"a line too long", "client.jsonl", `{"t":1,"event":"invoke","op":"get","note":"` + strings.Repeat("x", history.MaxLine) + `"}` + "\n", "client.jsonl:1: the line is longer"},
		{"a bad definition", "definitions.json", `{"sags":{}}`, `definitions.json: json: unknown field "sags"`},
		{"no log", "other.txt", "", "has no client.jsonl"},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"definitions.json": definitions, tt.file: tt.text} {
				if tt.file == name {
					text = tt.text
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := history.Load(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestALineInMemoryThatMeansNothingIsAnError(t *testing.T) {
	h := &history.History{Engine: []history.Line{{Event: history.Journal, Saga: "s", Seq: 1, Kind: "saga_begun"}}}
	if _, err := history.Check(h); err == nil || !strings.HasPrefix(err.Error(), "engine:1: ") {
		t.Errorf("error %v, want one of engine:1", err)
	}
}

func TestASagaWithoutADefinitionIsAnError(t *testing.T) {
	h := &history.History{Engine: []history.Line{{Event: history.Journal, Saga: "s", Seq: 1, Kind: unwind.EntrySagaStarted, Name: "order"}}}
	if _, err := history.Check(h); err == nil || !strings.HasPrefix(err.Error(), "engine:1: ") {
		t.Errorf("error %v, want one of engine:1", err)
	}
}

func TestTimesAreMicrosecondsOrText(t *testing.T) {
	dir := t.TempDir()
	text := `{"t":"2026-01-02T03:04:05.000006Z","event":"invoke","op":"get"}` + "\n" + `{"t":1767323045000007,"event":"invoke","op":"get"}` + "\n\n"
	for name, text := range map[string]string{"definitions.json": definitions, "client.jsonl": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := history.Load(dir)
	if err != nil || len(h.Client) != 2 || h.Client[1].T-h.Client[0].T != 1 {
		t.Errorf("read %+v, %v; want two lines a microsecond apart", h, err)
	}
}

// Any text is read or refused, without a panic, and what is read is judged.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		_, files := sections(string(text))
		f.Add(files["engine-a.jsonl"], files["participant-payments.jsonl"])
	}
	text, err := os.ReadFile("testdata/good.txtar")
	if err != nil {
		f.Fatal(err)
	}
	_, good := sections(string(text))
	f.Fuzz(func(t *testing.T, engine, participant string) {
		dir := t.TempDir()
		for name, text := range map[string]string{"definitions.json": good["definitions.json"], "client.jsonl": good["client.jsonl"], "participant-p.jsonl": participant, "engine-a.jsonl": engine} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h, err := history.Load(dir)
		if err != nil {
			return
		}
		if r, err := history.Check(h); err == nil {
			_ = r.WriteText(&strings.Builder{})
		}
	})
}
