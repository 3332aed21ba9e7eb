package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A real bash loads the script, without the package bash-completion, and asks it as
// it does when somebody presses tab at the end of the line.
func TestBashCompletesCommandsAndFlags(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"unwind de":                                     "demo dev",
		"unwind dlq re":                                 "replay resolve reopen",
		"unwind dlq replay --can":                       "--canary",
		"unwind dlq replay --reason 'a b' --can":        "--canary",
		"unwind saga cancel --ten":                      "--tenant",
		"unwind demo storm --e":                         "--exit",
		"unwind --server http://127.0.0.1:7070 dlq gr":  "groups",
		"unwind --server=http://127.0.0.1:7070 dlq gr":  "groups",
		"unwind completion b":                           "bash",
		"unwind completion ":                            "bash zsh fish pwsh help",
		"unwind saga get ":                              "",
		"unwind $(touch carried-out) `touch it-too` dl": "dlq",
		binary + " dlq gr":                              "groups",
	} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-c",
			`source <(unwind completion bash) && complete -p unwind >/dev/null && COMP_LINE=$1 COMP_POINT=$2 && _unwind_complete && printf '%s\n' "${COMPREPLY[@]}"`,
			"bash", line, strconv.Itoa(len(line)))
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + filepath.Dir(binary) + ":/usr/bin:/bin", "HOME=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
		got, words := strings.Fields(string(out)), strings.Fields(want)
		slices.Sort(got)
		slices.Sort(words)
		if !slices.Equal(got, words) {
			t.Errorf("%s: %q, want %q", line, got, words)
		}
		if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
			t.Errorf("%s was carried out: %v", line, left)
		}
	}
}

func TestEveryShellHasItsCompletion(t *testing.T) {
	t.Parallel()
	for shell, has := range map[string]string{
		"bash": "complete -o bashdefault -o default -F _unwind_complete unwind\n", "zsh": "#compdef unwind\n", "fish": "complete -c unwind ", "pwsh": "Register-ArgumentCompleter",
	} {
		out, err := exec.CommandContext(t.Context(), binary, "completion", shell).Output()
		if err != nil || !strings.Contains(string(out), has) {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), binary, "completion", "csh")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != exitUsage {
		t.Errorf("csh: %v: %s", err, out)
	}
}
