package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/unwindhq/unwind"
)

// A Role says what a token may do; each may do what those before it may.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// anyone is the role of routes that need none.
const anyone Role = "anyone"

// rank orders the roles; 0 is none of them.
func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Admin:
		return 3
	}
	return 0
}

// leastRole is the table of who may do what. A route that is not in it is
// refused to everyone.
var leastRole = map[string]Role{
	"POST /v1/sagas":                     Operator,
	"POST /v1/sagas:batch":               Operator,
	"GET /v1/sagas":                      Viewer,
	"GET /v1/sagas/{id}":                 Viewer,
	"GET /v1/sagas/{id}/history":         Viewer,
	"POST /v1/sagas/{id}/cancel":         Operator,
	"POST /v1/sagas/{id}/signal":         Operator,
	"POST /v1/sagas/{id}/send":           Operator,
	"POST /v1/calls/{token}":             Operator,
	"GET /v1/definitions":                Viewer,
	"GET /v1/definitions/{name}":         Viewer,
	"PUT /v1/definitions/{name}":         Admin,
	"POST /v1/definitions:validate":      Viewer,
	"GET /v1/dead-letters":               Viewer,
	"GET /v1/dead-letters/{id}":          Viewer,
	"POST /v1/dead-letters/{id}/replay":  Operator,
	"POST /v1/dead-letters/{id}/resolve": Operator,
	"GET /v1/dead-letters/groups":        Viewer,
	"POST /v1/dead-letters/{id}/reopen":  Operator,
	"POST /v1/dead-letters/{id}/note":    Operator,
	"POST /v1/operations":                Operator,
	"GET /v1/operations":                 Viewer,
	"GET /v1/operations/{id}":            Viewer,
	"PATCH /v1/operations/{id}":          Operator,
	"DELETE /v1/operations/{id}":         Operator,
	"GET /v1/services":                   Viewer,
	"GET /v1/services/{name}":            Viewer,
	"POST /v1/services/{name}/pause":     Operator,
	"POST /v1/services/{name}/resume":    Operator,
	"PATCH /v1/services/{name}":          Operator,
	"POST /v1/services/{name}/breaker":   Operator,
	"POST /v1/services/{name}/open-gate": Operator,
	"GET /v1/scopes":                     Viewer,
	"PATCH /v1/scopes":                   Operator,
	"GET /v1/alerts":                     Viewer,
	"GET /v1/audit":                      Viewer,
	"GET /v1/audit/head":                 Viewer,
	"POST /v1/reconciliations":           Operator,
	"POST /v1/release":                   Operator,
	"GET /v1/stats":                      Viewer,
	"GET /v1/events":                     Viewer,
	"GET /metrics":                       Viewer,
	"GET /livez":                         anyone,
	"GET /readyz":                        anyone,
	"GET /healthz":                       anyone,
	"GET /openapi.json":                  anyone,
	"GET /docs":                          anyone,
}

// An actor is who makes a request.
type actor struct {
	name string
	role Role
}

// local is everyone, where there are no tokens.
var local = actor{name: "local", role: Admin}

// A gate knows the tokens by their digests only.
type gate struct {
	digests [][sha256.Size]byte
	actors  []actor
}

func newGate(tokens []Token) gate {
	var g gate
	for _, t := range tokens {
		g.digests = append(g.digests, sha256.Sum256([]byte(t.Secret)))
		g.actors = append(g.actors, actor{t.Name, t.Role})
	}
	return g
}

// identify returns who makes the request; the zero actor where nobody knows. It
// takes the same time whichever token is sent and however much of it is right.
func (g *gate) identify(r *http.Request) actor {
	if len(g.actors) == 0 {
		return local
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(secret))
	found := -1
	for i := range g.digests {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], g.digests[i][:]), i, found)
	}
	if found < 0 || !strings.EqualFold(scheme, "Bearer") || len(r.Header["Authorization"]) != 1 {
		return actor{}
	}
	return g.actors[found]
}

// admit says why the actor may not use a route. sent: a token came along.
func admit(who actor, sent bool, route string) error {
	least, ok := leastRole[route]
	switch {
	case !ok:
		return unwind.Errorf(unwind.Forbidden, "%s is open to nobody", route)
	case least == anyone:
		return nil
	case who.role == "" && !sent:
		return unwind.Errorf(unwind.Unauthenticated, "no token was sent; send one, as in Authorization: Bearer …")
	case who.role == "":
		return unwind.Errorf(unwind.Unauthenticated, "the token is not known here, or it is not sent as in Authorization: Bearer …")
	case who.role.rank() < least.rank():
		return unwind.Errorf(unwind.Forbidden, "%s needs the role %s, and %s is %s", route, least, who.name, who.role)
	}
	return nil
}
