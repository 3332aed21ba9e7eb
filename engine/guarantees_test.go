package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of guarantees is worth what its names are: each test and each planted
// bug that it names exists, and each guarantee has tests.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ") // a name and its file may be on two lines
	named := regexp.MustCompile("((?:`(?:Test|Fuzz)[A-Za-z0-9_]+`,? (?:and )?)+)\\(`([a-z0-9_/]+_test\\.go)`\\)")
	quoted := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	found := map[string]bool{"TestGuaranteesNameTestsThatExist": true}
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		source, err := os.ReadFile(filepath.Join("..", m[2]))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(m[1], -1) {
			found[name[1]] = true
			if !strings.Contains(string(source), "\nfunc "+name[1]+"(") {
				t.Errorf("there is no %s in %s", name[1], m[2])
			}
		}
	}
	for _, name := range quoted.FindAllStringSubmatch(text, -1) {
		if !found[name[1]] {
			t.Errorf("%s is named without its file", name[1])
		}
	}

	sections := map[string]string{}
	for _, s := range regexp.MustCompile(`(?m)^##+ `).Split(string(page), -1) {
		title, body, _ := strings.Cut(s, "\n")
		sections[strings.Fields(title + " x")[0]] = body
	}
	for _, name := range append(guarantees(15), "Liveness") {
		body := sections[name]
		if !strings.Contains(body, "**Held**") && !strings.Contains(body, "**Held.**") && !strings.Contains(body, "**Partly") && !strings.Contains(body, "**Open**") {
			t.Errorf("%s does not say how far it is kept", name)
		}
		if !quoted.MatchString(body) {
			t.Errorf("%s names no test", name)
		}
	}
}

func guarantees(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("G%d", i+1))
	}
	return names
}

func TestGuaranteesNameBugsThatArePlanted(t *testing.T) {
	page, err := os.ReadFile("../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../internal/planted/*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+) +Bug = `).FindAllStringSubmatch(string(source), -1) {
			declared[m[1]] = true
		}
	}
	n := 0
	for _, line := range regexp.MustCompile(`(?m)^- planted: .*$`).FindAllString(string(page), -1) {
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(line, -1) {
			if n++; !declared[m[1]] {
				t.Errorf("there is no planted bug %s", m[1])
			}
		}
	}
	if n == 0 {
		t.Error("the page names no planted bug")
	}
}
