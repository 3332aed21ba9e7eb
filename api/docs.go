package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// A docsPage is the document as a page of our own: no script, nothing loaded.
type docsPage struct {
	html []byte
	csp  string
}

// newDocsPage renders the page once; nothing of a request is in it.
func newDocsPage(doc *huma.OpenAPI, routes []route) (docsPage, error) {
	t, err := template.New("docs").Parse(docsTemplate)
	if err != nil {
		return docsPage{}, fmt.Errorf("reading the page of the document: %w", err)
	}
	type operation struct {
		*huma.Operation
		Role Role
		Curl string
	}
	var view struct {
		Doc        *huma.OpenAPI
		Style      template.CSS
		Operations []operation
		Schemas    map[string]*huma.Schema
	}
	view.Doc, view.Style, view.Schemas = doc, template.CSS(docsStyle), doc.Components.Schemas.Map() //nolint:gosec // our own file
	for i := range routes {
		item := doc.Paths[routes[i].path()]
		op := map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}[routes[i].method()]
		view.Operations = append(view.Operations, operation{op, leastRole[routes[i].key], routes[i].curl()})
	}
	var out bytes.Buffer
	if err := t.Execute(&out, view); err != nil {
		return docsPage{}, fmt.Errorf("rendering the page of the document: %w", err)
	}
	sum := sha256.Sum256([]byte(docsStyle))
	return docsPage{
		html: out.Bytes(),
		csp: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

func (c *call) showDocs() error {
	c.w.Header().Set("Content-Security-Policy", c.h.docs.csp)
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	c.write(http.StatusOK, "text/html; charset=utf-8", c.h.docs.html)
	return nil
}
