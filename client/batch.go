package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/unwindhq/unwind"
)

// maxLines is what the server takes in one batch.
const maxLines = 10_000

// StartBatch implements unwind.Service, in batches of at most 10,000. Where the
// connection breaks, the starts without an answer have an error of [unwind.Unreachable];
// start them again with their keys. Wait is not looked at.
func (c *Client) StartBatch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	results := make([]unwind.StartResult, len(reqs))
	var send []int // indexes of those that can be written
	for i := range reqs {
		if in := reqs[i].Input; len(in) > 0 && !json.Valid(in) {
			e := unwind.Errorf(unwind.InvalidRequest, "starting saga %q: /input: it is not JSON", reqs[i].Saga)
			e.Faults = []unwind.Fault{{Pointer: "/input", Message: "it is not JSON"}}
			results[i].Err = e
			continue
		}
		send = append(send, i)
	}
	for part := range slices.Chunk(send, maxLines) {
		lines := make([]unwind.StartRequest, len(part))
		for k, i := range part {
			lines[k] = reqs[i]
		}
		answers, err := c.batch(ctx, lines)
		if err != nil && len(answers) == 0 && part[0] == send[0] {
			return nil, err
		}
		for k, i := range part {
			if k < len(answers) {
				results[i] = answers[k]
			} else {
				results[i].Err = err
			}
		}
	}
	return results, nil
}

// batch sends one batch while it reads the answers.
func (c *Client) batch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	const doing = "starting a batch of sagas"
	in, out := io.Pipe()
	r, err := c.newRequest(ctx, http.MethodPost, "/v1/sagas:batch", nil)
	if err != nil {
		return nil, invalid(doing, err)
	}
	r.Body = in
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/x-ndjson")
	written := make(chan struct{})
	go func() {
		defer close(written)
		out.CloseWithError(writeLines(out, reqs))
	}()
	defer func() {
		_ = in.Close() // ends the writer, whatever it waits for
		<-written
	}()
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(doing, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := readAll(resp)
		if err != nil {
			return nil, unreachable(doing, err)
		}
		return nil, refusalOf(doing, resp, body)
	}
	results := make([]unwind.StartResult, 0, len(reqs))
	lines := json.NewDecoder(bufio.NewReaderSize(resp.Body, 64<<10))
	for len(results) < len(reqs) {
		var answer struct {
			Line    int              `json:"line"`
			Status  int              `json:"status"`
			Saga    *unwind.Instance `json:"saga"`
			Problem *problem         `json:"problem"`
		}
		if err := lines.Decode(&answer); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return results, unreachable(doing, fmt.Errorf("reading answer %d: %w", len(results)+1, err))
		}
		switch {
		case answer.Line != len(results)+1:
			return results, unwind.Errorf(unwind.Internal, "%s: answer %d is for line %d; is this an Unwind server?", doing, len(results)+1, answer.Line)
		case answer.Problem != nil:
			results = append(results, unwind.StartResult{Err: answer.Problem.err(answer.Status)})
		case answer.Saga != nil:
			results = append(results, unwind.StartResult{Instance: answer.Saga, Created: answer.Status == http.StatusCreated})
		default:
			return results, unwind.Errorf(unwind.Internal, "%s: answer %d holds neither a saga nor a problem; is this an Unwind server?", doing, answer.Line)
		}
	}
	return results, nil
}

func writeLines(w io.Writer, reqs []unwind.StartRequest) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for i := range reqs {
		req := reqs[i]
		req.Wait = 0
		if err := enc.Encode(&req); err != nil {
			return fmt.Errorf("writing start %d: %w", i+1, err)
		}
	}
	return buf.Flush()
}
