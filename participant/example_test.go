package participant_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/unwindhq/unwind/participant"
)

// A shelf has two kettles.
func openShelf() *sql.DB {
	db, err := sql.Open("sqlite", "file::memory:?_pragma=busy_timeout(5000)")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		participant.SchemaSQLite,
		`CREATE TABLE shelf (sku TEXT PRIMARY KEY, pieces INTEGER)`,
		`INSERT INTO shelf VALUES ('tea-kettle', 2)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			panic(err)
		}
	}
	return db
}

type order struct {
	SKU    string `json:"sku"`
	Pieces int    `json:"pieces"`
}

// reserve is an action: it does its work in tx, and neither looks at keys nor
// remembers them.
func reserve(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	var o order
	if err := call.DecodeInput(&o); err != nil {
		return nil, err
	}
	res, err := tx.ExecContext(ctx, `UPDATE shelf SET pieces = pieces - ? WHERE sku = ? AND pieces >= ?`, o.Pieces, o.SKU, o.Pieces)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 {
		return nil, participant.Refuse("out of stock")
	}
	return o, nil
}

// release is its compensation: it undoes what the action recorded, and is only
// called when there is something to undo.
func release(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	var o order
	if err := call.DecodeRecorded(&o); err != nil {
		return nil, err
	}
	_, err := tx.ExecContext(ctx, `UPDATE shelf SET pieces = pieces + ? WHERE sku = ?`, o.Pieces, o.SKU)
	return nil, err
}

// send makes a call as the engine does.
func send(h http.Handler, path, key, input string) {
	saga, _, _ := strings.Cut(key, "/")
	body := fmt.Sprintf(`{"saga":{"id":%q,"name":"place-order","key":"ORD-1"},"input":%s}`, saga, input)
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewBufferString(body))
	r.Header.Set(participant.HeaderKey, key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(path, w.Code, w.Header().Get(participant.HeaderOutcome), strings.TrimSpace(w.Body.String()))
}

func Example() {
	db := openShelf()
	defer db.Close()
	barrier, err := participant.New(db, participant.Options{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /reserve", barrier.Handler(reserve))
	mux.Handle("POST /release", barrier.Handler(release))
	mux.Handle("GET /status", barrier.Status())

	const kettle = `{"sku":"tea-kettle","pieces":1}`
	send(mux, "/reserve", "saga-1/reserve/action", kettle)
	send(mux, "/reserve", "saga-1/reserve/action", kettle) // a duplicate
	send(mux, "/release", "saga-1/reserve/compensation", kettle)
	send(mux, "/release", "saga-2/reserve/compensation", kettle) // without its action
	send(mux, "/reserve", "saga-2/reserve/action", kettle)       // after its compensation

	var pieces int
	if err := db.QueryRow(`SELECT pieces FROM shelf`).Scan(&pieces); err != nil {
		panic(err)
	}
	fmt.Println("on the shelf:", pieces)
	// Output:
	// /reserve 200 done {"sku":"tea-kettle","pieces":1}
	// /reserve 200 done {"sku":"tea-kettle","pieces":1}
	// /release 200 done null
	// /release 200 done null
	// /reserve 409 refused {"type":"urn:unwind:problem:already-compensated","title":"The step was compensated already","status":409,"detail":"step reserve of saga saga-2 was compensated before its action arrived; the action is not carried out"}
	// on the shelf: 2
}

// A refusal is a definite answer: the engine undoes the steps before.
func ExampleRefuse() {
	db := openShelf()
	defer db.Close()
	send(participant.Handler(db, reserve), "/reserve", "saga-1/reserve/action", `{"sku":"tea-kettle","pieces":3}`)
	// Output:
	// /reserve 409 refused {"type":"urn:unwind:problem:refused","title":"Refused","status":409,"detail":"out of stock"}
}

// The engine asks the status path when it can't know what became of a call.
func ExampleBarrier_Status() {
	db := openShelf()
	defer db.Close()
	barrier, err := participant.New(db, participant.Options{})
	if err != nil {
		panic(err)
	}
	send(barrier.Handler(reserve), "/reserve", "saga-1/reserve/action", `{"sku":"tea-kettle","pieces":1}`)
	for _, key := range []string{"saga-1/reserve/action", "saga-1/reserve/compensation"} {
		w := httptest.NewRecorder()
		barrier.Status().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status?key="+key, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// /reserve 200 done {"sku":"tea-kettle","pieces":1}
	// {"outcome":"done","output":{"sku":"tea-kettle","pieces":1}}
	// {"outcome":"not_done"}
}

// Callers that do not come over HTTP, a consumer of messages say, use Do.
func ExampleBarrier_Do() {
	db := openShelf()
	defer db.Close()
	barrier, err := participant.New(db, participant.Options{})
	if err != nil {
		panic(err)
	}
	headers := http.Header{participant.HeaderKey: {"saga-1/reserve/action"}}
	call, err := participant.ParseCall(headers, []byte(`{"saga":{"id":"saga-1"},"input":{"sku":"tea-kettle","pieces":2}}`))
	if err != nil {
		panic(err)
	}
	output, err := barrier.Do(context.Background(), call, reserve)
	fmt.Println(string(output), err)
	// Output:
	// {"sku":"tea-kettle","pieces":2} <nil>
}
