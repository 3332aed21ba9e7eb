package api

import "strings"

// examples are the bodies that the page shows, by operation.
var examples = map[string]string{
	"start-saga":          `{"saga":"place-order","key":"ORD-1","input":{"order_id":1},"wait":"10s"}`,
	"start-sagas":         `{"saga":"place-order","key":"ORD-1","input":{"order_id":1}}`,
	"cancel-saga":         `{"reason":"the customer called"}`,
	"signal-saga":         `{"name":"approval","data":{"approved":true}}`,
	"send-now":            `{"step":"charge","reason":"is the bank there?"}`,
	"complete-call":       `{"outcome":"done","output":{"parcel":"P-1"}}`,
	"put-definition":      `{"steps":[{"name":"charge","action":{"service":"payments","path":"/charge"},"compensation":{"service":"payments","path":"/refund"}}]}`,
	"validate-definition": `{"name":"place-order","steps":[{"name":"charge","action":{"service":"payments","path":"/charge"},"compensation":"none"}]}`,
	"replay-dead-letter":  `{"reason":"the gateway is back"}`,
	"resolve-dead-letter": `{"reason":"refunded by hand","evidence":"slip 4711"}`,
	"reopen-dead-letter":  `{"reason":"slip 4711 was of another order"}`,
	"start-operation":     `{"kind":"replay","selection":{"saga":"place-order","service":"payments"},"rate":"20/s","canary":10,"dry_run":true}`,
	"change-operation":    `{"rate":"5/s","reason":"the bank asked"}`,
	"note-dead-letter":    `{"text":"the bank is asked","owner":"ann"}`,
	"pause-lane":          `{"lane":"compensation","reason":"they move house"}`,
	"resume-lane":         `{"lane":"compensation","reason":"they have moved"}`,
	"limit-lane":          `{"compensation":{"rate":"20/s"},"expires_in":"1h","reason":"the gateway is slow"}`,
	"open-gate":           `{"lane":"compensation","reason":"the header was in milliseconds"}`,
	"set-breaker":         `{"lane":"compensation","state":"open","reason":"they asked for quiet"}`,
	"reconcile":           `{"saga":"place-order","since":"2026-01-02T15:04:05Z","rate":"50/s"}`,
	"release":             `{"reason":"compared with the services: nothing differs"}`,
	"change-scope":        `{"scope":{"kind":"compensation","name":"payments"},"limits":{"concurrency":5},"reason":"month's end"}`,
}

// curl is how the route is called from a shell, at a server of this machine.
// Words in capitals are to be filled in.
func (r *route) curl() string {
	path := r.path()
	for _, name := range r.wildcards() {
		path = strings.Replace(path, "{"+name+"}", strings.ToUpper(name), 1)
	}
	var b strings.Builder
	b.WriteString("curl")
	if r.id == "watch-events" {
		b.WriteString(" -N")
	}
	if m := r.method(); m != "GET" {
		b.WriteString(" -X " + m)
	}
	b.WriteString(" http://127.0.0.1:7070" + path)
	if leastRole[r.key] != anyone {
		b.WriteString(` -H "Authorization: Bearer $UNWIND_TOKEN"`)
	}
	if r.body != nil {
		b.WriteString(" \\\n  -H 'Content-Type: " + r.accepts() + "' \\\n  --data-binary '" + strings.ReplaceAll(examples[r.id], "'", `'\''`) + "'")
	}
	return b.String()
}
