package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
)

// A Validation is what POST /v1/definitions:validate found.
type Validation struct {
	// Valid is true where no fault refuses the definition; warnings don't.
	Valid  bool           `json:"valid" doc:"No fault refuses the definition"`
	Faults []ProblemFault `json:"faults"`
}

func (c *call) definitions() error {
	q := c.query(pageParams)
	page := q.page()
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.h.cfg.Service.Definitions(c.r.Context(), page)
	return answerList(c, list, err)
}

var versionParams = []param{{name: "version", text: "An earlier revision, as a saga's version names it; the newest where it is left out", kind: "string"}}

func (c *call) definition() error {
	q := c.query(versionParams)
	if err := q.err(); err != nil {
		return err
	}
	rev, err := c.h.cfg.Service.Definition(c.r.Context(), c.r.PathValue("name"), q.text("version"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, rev)
}

func (c *call) putDefinition() error {
	name := c.r.PathValue("name")
	if !unwind.ValidName(name) {
		return invalid("/path/name", "use 1 to 64 letters, digits, dots, dashes or underscores, as in place-order")
	}
	def, faults, err := c.readDefinition(name)
	if err != nil {
		return err
	}
	if def.Name != name {
		faults = append(faults, unwind.Fault{Pointer: "/name", Message: "it differs from the name in the path; leave it out"})
	}
	if slices.ContainsFunc(faults, refuses) {
		return faulty(faults)
	}
	rev, err := c.h.cfg.Service.PutDefinition(c.r.Context(), def, c.who.name)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, rev)
}

func (c *call) validate() error {
	_, faults, err := c.readDefinition("")
	if err != nil {
		return err
	}
	v := Validation{Valid: !slices.ContainsFunc(faults, refuses), Faults: []ProblemFault{}}
	for _, f := range faults {
		v.Faults = append(v.Faults, ProblemFault{Pointer: f.Pointer, Message: f.Message, Warning: f.Warning, Line: f.Line, Column: f.Column})
	}
	return c.answer(http.StatusOK, v)
}

func refuses(f unwind.Fault) bool { return !f.Warning }

// readDefinition reads a definition and finds every fault of it. Its shape is
// judged as that of a file is; the services that it names, by the service.
func (c *call) readDefinition(name string) (def unwind.Definition, faults []unwind.Fault, err error) {
	body, err := c.body(maxDefinitionBody)
	if err != nil {
		return def, nil, err
	}
	if !json.Valid(body) {
		return def, nil, notJSON(body)
	}
	if bytes.TrimSpace(body)[0] != '{' {
		return def, nil, unwind.Errorf(unwind.InvalidRequest, "the body is no JSON object; send a definition, as in {\"steps\": […]}")
	}
	def, faults = config.CheckDefinition(name+".json", body, nil)
	for i := range faults {
		faults[i].File = ""
	}
	declared, err := c.h.cfg.Service.Validate(c.r.Context(), def)
	if err != nil {
		return def, nil, err
	}
	shapely := !slices.ContainsFunc(faults, refuses)
	for _, f := range declared {
		known := slices.ContainsFunc(faults, func(k unwind.Fault) bool { return k.Pointer == f.Pointer })
		if !known && (shapely || strings.HasSuffix(f.Pointer, "/service")) {
			faults = append(faults, f)
		}
	}
	return def, faults, nil
}
