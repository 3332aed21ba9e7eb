package config

import (
	"path/filepath"
	"reflect"
	"strings"

	"github.com/unwindhq/unwind"
)

// CheckDefinition reads one definition in YAML or JSON, which came from the file
// name. A definition that does not say its own name has that of the file, without
// folder and extension. It returns every fault, warnings among them, in the order
// of the file; without participants any service counts as declared.
func CheckDefinition(name string, data []byte, participants map[string]unwind.Participant) (unwind.Definition, []unwind.Fault) {
	r := &report{}
	var def unwind.Definition
	root := parse(name, data, r)
	if root == nil {
		return def, r.faults
	}
	if root.kind == null {
		r.add("", root.at, "there is no definition here; write one, as in steps: [{name: charge, action: {service: payments, path: /charge}, …}]")
		return def, r.faults
	}
	d := decoder{report: r}
	d.decode(root, reflect.ValueOf(&def).Elem(), "")
	if def.Name == "" {
		def.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	if participants == nil {
		participants = named(def)
	}
	r.judge(root, def.Validate(participants))
	return def, inOrder(r.faults)
}

// named declares each service that a definition names.
func named(def unwind.Definition) map[string]unwind.Participant {
	all := map[string]unwind.Participant{}
	for _, s := range def.Steps {
		for _, c := range []*unwind.Call{s.Action, s.Compensation} {
			if c != nil {
				all[c.Service] = unwind.Participant{}
			}
		}
	}
	return all
}
