package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
)

// A route is one operation: how it is served and what the document says of it.
type route struct {
	key     string // method and path, as leastRole names it
	id      string // operationId
	summary string
	text    string
	tag     string
	serve   func(*call) error

	query  []param
	header []param
	// body is the Go type of the request's body; nil: it has none.
	body     reflect.Type
	bodyType string // the content type; application/json where it is empty
	answers  []answer
	// refusals are the codes of problems beside those that every route has.
	refusals []unwind.Code
}

// A param is a parameter of the query or a header.
type param struct {
	name, text string
	kind       string // of JSON Schema
	format     string
	enum       []string
	most       int // the maximum of an integer; 0: none
}

// An answer is one way a route succeeds.
type answer struct {
	status      int
	text        string
	body        reflect.Type
	contentType string // application/json where it is empty
}

func (r *route) method() string { m, _, _ := strings.Cut(r.key, " "); return m }
func (r *route) path() string   { _, p, _ := strings.Cut(r.key, " "); return p }

// wildcards returns the names in the path's braces.
func (r *route) wildcards() (names []string) {
	for part := range strings.SplitSeq(r.path(), "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

// A place is a path and its routes by method.
type place struct {
	routes []*route
	allow  string
}

// route finds the method's; HEAD is answered as GET, without the body.
func (p *place) route(method string) *route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, r := range p.routes {
		if r.method() == method {
			return r
		}
	}
	return nil
}

// newMux registers each path once, so that the methods are ours to refuse.
func newMux(routes []route) *http.ServeMux {
	places := map[string]*place{}
	for i := range routes {
		p := routes[i].path()
		if places[p] == nil {
			places[p] = &place{}
		}
		places[p].routes = append(places[p].routes, &routes[i])
	}
	mux := http.NewServeMux()
	for path, at := range places {
		var methods []string
		for _, r := range at.routes {
			methods = append(methods, r.method())
			if r.method() == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
		slices.Sort(methods)
		at.allow = strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			c := w.(*writer).call //nolint:errcheck // serve gives the mux no other
			c.err = c.dispatch(at)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.(*writer).call.err = notFound(r.URL.Path) //nolint:errcheck // as above
	})
	return mux
}
