package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/unwindhq/unwind"
)

// PutDefinition implements unwind.Service. Putting the same again changes
// nothing, so it is sent again where its answer was lost. The server takes the
// actor from the token. A definition whose calls are Go functions is refused.
func (c *Client) PutDefinition(ctx context.Context, def unwind.Definition, _ string) (unwind.Revision, error) {
	var rev unwind.Revision
	_, err := c.do(ctx, request{doing: "storing the definition of saga " + def.Name, method: http.MethodPut, path: "/v1/definitions/" + url.PathEscape(def.Name), body: &def, safe: true}, &rev)
	return rev, err
}

// Definition implements unwind.Service.
func (c *Client) Definition(ctx context.Context, name, version string) (unwind.Revision, error) {
	var rev unwind.Revision
	path := "/v1/definitions/" + url.PathEscape(name)
	if version != "" {
		path += "?version=" + url.QueryEscape(version)
	}
	_, err := c.do(ctx, request{doing: "getting the definition of saga " + name, method: http.MethodGet, path: path, safe: true}, &rev)
	return rev, err
}

// Definitions implements unwind.Service.
func (c *Client) Definitions(ctx context.Context, page unwind.Page) (unwind.List[unwind.Revision], error) {
	return list[unwind.Revision](c, ctx, "listing definitions", "/v1/definitions", page, nil)
}

// Validate implements unwind.Service.
func (c *Client) Validate(ctx context.Context, def unwind.Definition) ([]unwind.Fault, error) {
	var out struct {
		Faults []unwind.Fault `json:"faults"`
	}
	_, err := c.do(ctx, request{doing: "validating the definition of saga " + def.Name, method: http.MethodPost, path: "/v1/definitions:validate", body: &def, safe: true}, &out)
	return out.Faults, err
}

// DeadLetters implements unwind.Service.
func (c *Client) DeadLetters(ctx context.Context, f unwind.DeadLetterFilter) (unwind.List[unwind.DeadLetter], error) {
	return list[unwind.DeadLetter](c, ctx, "listing dead letters", "/v1/dead-letters", f.Page,
		values{"saga": f.Saga, "service": f.Service, "group": f.Group, "state": string(f.State)})
}

// DeadLetter implements unwind.Service.
func (c *Client) DeadLetter(ctx context.Context, id string) (*unwind.DeadLetter, error) {
	return one[unwind.DeadLetter](c, ctx, "getting dead letter "+id, "/v1/dead-letters/"+url.PathEscape(id))
}

// SendNow implements unwind.Service. The server takes the actor from the token.
func (c *Client) SendNow(ctx context.Context, id string, req unwind.SendNow) (*unwind.Instance, error) {
	return post[unwind.Instance](c, ctx, "sending a call of saga "+id+" now", "/v1/sagas/"+url.PathEscape(id)+"/send", req)
}

// Replay implements unwind.Service. The server takes the actor from the token.
func (c *Client) Replay(ctx context.Context, id string, req unwind.ReplayRequest) (*unwind.DeadLetter, error) {
	return post[unwind.DeadLetter](c, ctx, "replaying dead letter "+id, "/v1/dead-letters/"+url.PathEscape(id)+"/replay", req)
}

// Resolve implements unwind.Service. The server takes the actor from the token.
func (c *Client) Resolve(ctx context.Context, id string, req unwind.ResolveRequest) (*unwind.DeadLetter, error) {
	return post[unwind.DeadLetter](c, ctx, "resolving dead letter "+id, "/v1/dead-letters/"+url.PathEscape(id)+"/resolve", req)
}

// Reopen implements unwind.Service. The server takes the actor from the token.
func (c *Client) Reopen(ctx context.Context, id string, req unwind.ReopenRequest) (*unwind.DeadLetter, error) {
	return post[unwind.DeadLetter](c, ctx, "reopening dead letter "+id, "/v1/dead-letters/"+url.PathEscape(id)+"/reopen", req)
}

// Note implements unwind.Service. The server takes the actor from the token.
func (c *Client) Note(ctx context.Context, id string, req unwind.NoteRequest) (*unwind.DeadLetter, error) {
	return post[unwind.DeadLetter](c, ctx, "noting something about dead letter "+id, "/v1/dead-letters/"+url.PathEscape(id)+"/note", req)
}

// DeadLetterGroups implements unwind.Service.
func (c *Client) DeadLetterGroups(ctx context.Context, f unwind.GroupFilter) (unwind.List[unwind.DeadLetterGroup], error) {
	return list[unwind.DeadLetterGroup](c, ctx, "listing the groups of dead letters", "/v1/dead-letters/groups", f.Page,
		values{"saga": f.Saga, "service": f.Service, "state": string(f.State)})
}

// Participants implements unwind.Service.
func (c *Client) Participants(ctx context.Context) ([]unwind.ServiceState, error) {
	all, err := list[unwind.ServiceState](c, ctx, "listing services", "/v1/services", unwind.Page{}, nil)
	return all.Items, err
}

// Scopes implements unwind.Service.
func (c *Client) Scopes(ctx context.Context) ([]unwind.ScopeState, error) {
	all, err := list[unwind.ScopeState](c, ctx, "listing scopes", "/v1/scopes", unwind.Page{}, nil)
	return all.Items, err
}

// Control implements unwind.Service. The server takes the actor from the token.
func (c *Client) Control(ctx context.Context, req unwind.ControlRequest) (*unwind.ScopeState, error) {
	doing := "changing " + req.Scope.String()
	var s unwind.ScopeState
	if _, err := c.do(ctx, request{doing: doing, method: http.MethodPatch, path: "/v1/scopes", body: req}, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Alerts implements unwind.Service.
func (c *Client) Alerts(ctx context.Context, f unwind.AlertFilter) (unwind.List[unwind.Alert], error) {
	more := values{}
	if f.Firing {
		more["firing"] = "true"
	}
	return list[unwind.Alert](c, ctx, "listing alerts", "/v1/alerts", f.Page, more)
}

// Audit implements unwind.Service.
func (c *Client) Audit(ctx context.Context, f unwind.AuditFilter) (unwind.List[unwind.AuditRow], error) {
	q := values{"action": f.Action, "actor": f.Actor, "target": f.Target}
	if !f.Since.IsZero() {
		q["since"] = f.Since.UTC().Format(time.RFC3339Nano)
	}
	return list[unwind.AuditRow](c, ctx, "listing the audit", "/v1/audit", f.Page, q)
}

// AuditHead implements unwind.Service.
func (c *Client) AuditHead(ctx context.Context) (unwind.AuditHead, error) {
	var h unwind.AuditHead
	_, err := c.do(ctx, request{doing: "reading the audit's head", method: http.MethodGet, path: "/v1/audit/head", safe: true}, &h)
	return h, err
}

// Reconcile implements unwind.Service. It changes nothing, so it is sent again where
// its answer was lost.
func (c *Client) Reconcile(ctx context.Context, req unwind.ReconcileRequest) (*unwind.Reconciliation, error) {
	var out unwind.Reconciliation
	_, err := c.do(ctx, request{doing: "comparing with the services", method: http.MethodPost, path: "/v1/reconciliations", body: req, safe: true}, &out)
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// Release implements unwind.Service. The server takes the actor from the token.
func (c *Client) Release(ctx context.Context, req unwind.ReleaseRequest) error {
	_, err := c.do(ctx, request{doing: "releasing the server", method: http.MethodPost, path: "/v1/release", body: req}, nil)
	return err
}

// Stats implements unwind.Service.
func (c *Client) Stats(ctx context.Context) (unwind.Stats, error) {
	var s unwind.Stats
	_, err := c.do(ctx, request{doing: "counting", method: http.MethodGet, path: "/v1/stats", safe: true}, &s)
	return s, err
}
