package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// batchLines is the most that the server takes in one batch.
const batchLines = 10_000

// startMany starts sagas in batches; each start is durable when this returns.
func startMany(ctx context.Context, server *child, saga string, count int) error {
	client := newClient()
	defer client.CloseIdleConnections()
	for begun := 0; begun < count; begun += batchLines {
		if err := startBatch(ctx, client, server.URL, saga, begun, min(batchLines, count-begun)); err != nil {
			return fmt.Errorf("starting sagas %d and on: %w", begun, err)
		}
	}
	return nil
}

// startBatch writes the lines while it reads the answers: the server takes no
// more before it has given those that are due.
func startBatch(ctx context.Context, client *http.Client, url, saga string, first, count int) error {
	out, in := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(in, 64<<10)
		var line []byte
		for n := first; n < first+count; n++ {
			line = append(line[:0], `{"saga":"`+saga+`","key":"`+saga+`-`...)
			line = append(strconv.AppendInt(line, int64(n), 10), `","input":`...)
			line = append(append(line, input...), "}\n"...)
			if _, err := w.Write(line); err != nil {
				return // the request has ended
			}
		}
		_ = in.CloseWithError(w.Flush())
	}()
	defer out.Close() //nolint:errcheck // it ends the writer
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/sagas:batch", out)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	got := 0
	for ; lines.Scan(); got++ {
		if !bytes.Contains(lines.Bytes(), []byte(`"status":201`)) {
			return fmt.Errorf("it was answered: %.300s", lines.Bytes())
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if got != count {
		return fmt.Errorf("%d of %d lines were answered (%s)", got, count, resp.Status)
	}
	return nil
}
