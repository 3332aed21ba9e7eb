package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/unwindhq/unwind"
)

// PlanOperation implements unwind.Service.
func (c *Client) PlanOperation(ctx context.Context, req unwind.OperationRequest) (*unwind.OperationPlan, error) {
	req.DryRun = true
	return post[unwind.OperationPlan](c, ctx, "planning an operation", "/v1/operations", req)
}

// StartOperation implements unwind.Service. With a key it is sent again where its
// answer was lost. The server takes the actor from the token.
func (c *Client) StartOperation(ctx context.Context, req unwind.OperationRequest) (*unwind.Operation, error) {
	req.DryRun = false
	var op unwind.Operation
	_, err := c.do(ctx, request{doing: "beginning an operation", method: http.MethodPost, path: "/v1/operations", body: req, key: req.Key, safe: req.Key != ""}, &op)
	if err != nil {
		return nil, err
	}
	return &op, nil
}

// Operation implements unwind.Service.
func (c *Client) Operation(ctx context.Context, id string) (*unwind.Operation, error) {
	return one[unwind.Operation](c, ctx, "getting operation "+id, "/v1/operations/"+url.PathEscape(id))
}

// Operations implements unwind.Service.
func (c *Client) Operations(ctx context.Context, f unwind.OperationFilter) (unwind.List[unwind.Operation], error) {
	return list[unwind.Operation](c, ctx, "listing operations", "/v1/operations", f.Page, values{"state": string(f.State)})
}

// ChangeOperation implements unwind.Service. The server takes the actor from the token.
func (c *Client) ChangeOperation(ctx context.Context, id string, req unwind.OperationChange) (*unwind.Operation, error) {
	var op unwind.Operation
	if _, err := c.do(ctx, request{doing: "changing operation " + id, method: http.MethodPatch, path: "/v1/operations/" + url.PathEscape(id), body: req}, &op); err != nil {
		return nil, err
	}
	return &op, nil
}

// AbortOperation implements unwind.Service. The server takes the actor from the token.
func (c *Client) AbortOperation(ctx context.Context, id string, req unwind.AbortRequest) (*unwind.Operation, error) {
	path := "/v1/operations/" + url.PathEscape(id)
	if req.Reason != "" {
		path += "?reason=" + url.QueryEscape(req.Reason)
	}
	var op unwind.Operation
	if _, err := c.do(ctx, request{doing: "aborting operation " + id, method: http.MethodDelete, path: path}, &op); err != nil {
		return nil, err
	}
	return &op, nil
}
