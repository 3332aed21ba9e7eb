package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/unwindhq/unwind"
)

// Start implements unwind.Service. A start with a key is sent again where its
// answer was lost; one without may have begun a saga, so it is not.
func (c *Client) Start(ctx context.Context, req unwind.StartRequest) (*unwind.Instance, bool, error) {
	var inst unwind.Instance
	status, err := c.do(ctx, request{doing: "starting saga " + req.Saga, method: http.MethodPost, path: "/v1/sagas", body: &req, safe: req.Key != ""}, &inst)
	if err != nil {
		return nil, false, err
	}
	return &inst, status == http.StatusCreated, nil
}

// Get implements unwind.Service.
func (c *Client) Get(ctx context.Context, id string) (*unwind.Instance, error) {
	return one[unwind.Instance](c, ctx, "getting saga "+id, "/v1/sagas/"+url.PathEscape(id))
}

// History implements unwind.Service.
func (c *Client) History(ctx context.Context, id string, page unwind.Page) (unwind.List[unwind.Entry], error) {
	return list[unwind.Entry](c, ctx, "reading the history of saga "+id, "/v1/sagas/"+url.PathEscape(id)+"/history", page, nil)
}

// List implements unwind.Service.
func (c *Client) List(ctx context.Context, f unwind.Filter) (unwind.List[unwind.Instance], error) {
	q := values{"status": string(f.Status), "saga": f.Saga, "tenant": f.Tenant, "key": f.Key}
	if !f.Since.IsZero() {
		q["since"] = f.Since.UTC().Format(time.RFC3339Nano)
	}
	return list[unwind.Instance](c, ctx, "listing sagas", "/v1/sagas", f.Page, q)
}

// Cancel implements unwind.Service. The server takes the actor from the token.
func (c *Client) Cancel(ctx context.Context, id string, req unwind.CancelRequest) (*unwind.Instance, error) {
	return post[unwind.Instance](c, ctx, "cancelling saga "+id, "/v1/sagas/"+url.PathEscape(id)+"/cancel", req)
}

// Signal implements unwind.Service. The server takes the actor from the token.
func (c *Client) Signal(ctx context.Context, id string, req unwind.SignalRequest) (*unwind.Instance, error) {
	return post[unwind.Instance](c, ctx, "signalling saga "+id, "/v1/sagas/"+url.PathEscape(id)+"/signal", req)
}

// Complete implements unwind.Service.
func (c *Client) Complete(ctx context.Context, token string, req unwind.Completion) error {
	_, err := c.do(ctx, request{doing: "completing a call", method: http.MethodPost, path: "/v1/calls/" + url.PathEscape(token), body: req}, nil)
	return err
}

func one[T any](c *Client, ctx context.Context, doing, path string) (*T, error) { //nolint:revive // methods have no type parameters; the client stands where the receiver would
	var out T
	if _, err := c.do(ctx, request{doing: doing, method: http.MethodGet, path: path, safe: true}, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func post[T any](c *Client, ctx context.Context, doing, path string, body any) (*T, error) { //nolint:revive // as in one
	var out T
	if _, err := c.do(ctx, request{doing: doing, method: http.MethodPost, path: path, body: body}, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// values are query parameters; empty ones are left out.
type values map[string]string

func list[T any](c *Client, ctx context.Context, doing, path string, page unwind.Page, more values) (unwind.List[T], error) { //nolint:revive // as in one
	q := url.Values{}
	for name, v := range more {
		if v != "" {
			q.Set(name, v)
		}
	}
	if page.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(page.Limit, 1000)))
	}
	if page.Cursor != "" {
		q.Set("cursor", page.Cursor)
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var out unwind.List[T]
	_, err := c.do(ctx, request{doing: doing, method: http.MethodGet, path: path, safe: true}, &out)
	return out, err
}
