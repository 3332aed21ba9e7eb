package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// FetchBooks reads the books and all entries of one participant over HTTP, from
// its base URL. Read them once the sagas are at rest: entries that are posted
// meanwhile may be missing. A nil client is http.DefaultClient. The error says
// what could not be read from where.
func FetchBooks(ctx context.Context, client *http.Client, base string) (Books, []Entry, error) {
	var books Books
	if err := fetch(ctx, client, base+"/books", &books); err != nil {
		return Books{}, nil, err
	}
	var entries []Entry
	for cursor := ""; ; {
		var page Page
		if err := fetch(ctx, client, fmt.Sprintf("%s/books/entries?limit=%d&cursor=%s", base, maxEntries, url.QueryEscape(cursor)), &page); err != nil {
			return Books{}, nil, err
		}
		entries = append(entries, page.Items...)
		if page.NextCursor == "" {
			return books, entries, nil
		}
		cursor = page.NextCursor
	}
}

// Gather fetches the books of several participants into one [Ledger].
func Gather(ctx context.Context, client *http.Client, bases ...string) (Ledger, error) {
	l := Ledger{Entries: map[string][]Entry{}}
	for _, base := range bases {
		books, entries, err := FetchBooks(ctx, client, base)
		if err != nil {
			return Ledger{}, err
		}
		l.Books = append(l.Books, books)
		l.Entries[books.Participant] = entries
	}
	return l, nil
}

func fetch(ctx context.Context, client *http.Client, from string, into any) error {
	body, err := exchange(ctx, client, http.MethodGet, from, nil)
	if err != nil {
		return fmt.Errorf("demo: read %s: %w", from, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("demo: read %s: %w", from, err)
	}
	return nil
}

func put(ctx context.Context, to string, what any) error {
	body, err := json.Marshal(what)
	if err == nil {
		_, err = exchange(ctx, nil, http.MethodPut, to, body)
	}
	if err != nil {
		return fmt.Errorf("demo: put %s: %w", to, err)
	}
	return nil
}

func exchange(ctx context.Context, client *http.Client, method, at string, body []byte) ([]byte, error) {
	if client == nil {
		client = http.DefaultClient
	}
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", response.Status, answer)
	}
	return answer, err
}
