package imports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A finding is one broken rule at one place.
type finding struct {
	at   position
	what string
	why  string
}

func (f finding) String() string { return fmt.Sprintf("%s: %s: %s", f.at, f.what, f.why) }

const undeclared = "every package stands in a room of the house: add it to the table in internal/imports/house_test.go," +
	" on the line where what it needs is above it and what needs it below"

// judgeImports holds every import of the tree against the floors and the bans.
// An import that breaks two rules is reported twice.
func judgeImports(t *tree) []finding {
	var found []finding
	for _, p := range t.pkgs {
		level := floorOf(p.name)
		if level < 0 {
			found = append(found, finding{p.at, p.name + " stands in no room", undeclared})
		}
		for _, imp := range p.imports {
			imp.name = t.nameOf(imp.name)
			what := fmt.Sprintf("%s may not import %s", p.name, imp.name)
			if why := againstFloors(level, p.name, imp.name); why != "" {
				found = append(found, finding{imp.at, what, why})
			}
			for _, b := range bans {
				if b.forbids(t, p.name, imp.name) {
					found = append(found, finding{imp.at, what, b.why})
				}
			}
		}
	}
	return ordered(found)
}

// againstFloors says why the order of the house forbids the import, or nothing.
func againstFloors(level int, from, to string) string {
	target := floorOf(to)
	switch {
	case !isOwn(to) || level < 0 || target < 0 || target < level:
		return ""
	case target > level:
		return house[target].below
	case roomOf(from) == roomOf(to):
		return ""
	default:
		return house[level].apart
	}
}

func (b ban) forbids(t *tree, from, to string) bool {
	if !inAny(b.from, from) || inAny(b.except, from) || inAny(b.allow, to) {
		return false
	}
	return inAny(b.to, to) || slices.Contains(b.to, thirdParty) && t.isThirdParty(to)
}

// floorOf returns the index of the floor a package stands on, or -1.
func floorOf(name string) int {
	return slices.IndexFunc(house, func(f floor) bool { return inAny(f.rooms, name) })
}

// roomOf returns the room a package stands in, or nothing.
func roomOf(name string) string {
	for _, f := range house {
		for _, room := range f.rooms {
			if in(room, name) {
				return room
			}
		}
	}
	return ""
}

func inAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return in(p, name) })
}

// in matches as the go command does, with "./..." for the whole tree.
func in(pattern, name string) bool {
	base, deep := strings.CutSuffix(pattern, "/...")
	return name == base || deep && strings.HasPrefix(name, base+"/")
}

// ordered sorts findings by place and drops those seen under two builds.
func ordered(found []finding) []finding {
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.at.file, b.at.file), cmp.Compare(a.at.line, b.at.line),
			cmp.Compare(a.what, b.what), cmp.Compare(a.why, b.why))
	})
	return slices.Compact(found)
}
