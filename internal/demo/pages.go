package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

func (p *Participant) books(w http.ResponseWriter, r *http.Request) {
	books, err := p.Books(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, books)
}

// maxEntries is the most that one page of entries has.
const maxEntries = 5000

// A Page is what GET /books/entries answers. NextCursor is empty on the last one.
type Page struct {
	Items      []Entry `json:"items"`
	NextCursor string  `json:"next_cursor"`
}

func (p *Participant) entries(w http.ResponseWriter, r *http.Request) {
	after, limit := int64(0), 500
	query := r.URL.Query()
	if text := query.Get("cursor"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 36, 64); err != nil {
			refuse(w, http.StatusBadRequest, "the cursor is not one that was given out here")
			return
		}
	}
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxEntries {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("the limit is %q; want a whole number from 1 to %d", text, maxEntries))
			return
		}
	}
	items, err := entriesAfter(r.Context(), p.reader, after, limit+1)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	page := Page{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		page.NextCursor = strconv.FormatInt(items[limit-1].Seq, 36)
	}
	answer(w, page)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the caller went away
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
}
