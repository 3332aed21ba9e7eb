package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program that the README shows is built and run as it stands there, but for
// the addresses of its two services.
func TestTheProgramOfTheReadmeRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program of its own, some seconds; make race runs it")
	}
	const root = "../.."
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(readme), "```go\n")
	program, _, found := strings.Cut(program, "```\n")
	if !found {
		t.Fatal("README.md shows no program")
	}
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer service.Close()
	for _, address := range []string{"http://127.0.0.1:9101", "http://127.0.0.1:9102"} {
		if !strings.Contains(program, address) {
			t.Fatalf("the program does not name %s any more; the README speaks of two services", address)
		}
		program = strings.ReplaceAll(program, address, service.URL)
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "order")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program of the README: %v\n%s", err, out)
	}
	order := exec.CommandContext(t.Context(), binary)
	order.Dir = dir
	out, err := order.CombinedOutput()
	if err != nil || !strings.Contains(string(out), " completed\n") {
		t.Fatalf("the program of the README: %v\n%s", err, out)
	}
}
