package engine

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// answered is what an action's answer comes to, made of its parts.
func answered(t *testing.T, status int, headers, body string) machine.Answer {
	t.Helper()
	head := "HTTP/1.1 " + strconv.Itoa(status) + " X\r\n" + headers + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	h := newHostile(t, say(head+body))
	return newDialogue(t, unwind.Participant{URL: h.url()}).attempt(unwind.Action, 10*time.Second)
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const second, year = machine.Micros(1_000_000), machine.Micros(366*24*3600) * 1_000_000
	for text, want := range map[string]machine.Micros{
		"":                               0,
		"0":                              0,
		"7":                              7 * second,
		" 7 ":                            7 * second,
		"007":                            7 * second,
		"-7":                             0,
		"7.5":                            0,
		"7s":                             0,
		"soon":                           0,
		"1e9":                            0,
		"31622400":                       year,
		"99999999999":                    year,
		"99999999999999999999999999":     year,
		"-99999999999999999999999999":    0,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * second,
		"Sun, 01 Mar 2026 11:59:30 GMT":  0,
		"Sunday, 01-Mar-26 12:00:30 GMT": 30 * second, // RFC 850
		"Sun Mar  1 12:00:30 2026":       30 * second, // asctime
		"Fri, 31 Dec 9999 23:59:59 GMT":  year,
		"Mon, 01 Jan 0001 00:00:00 GMT":  0,
		"Sun, 01 Mar 2026 12:00:30":      0,
		"2026-03-01T12:00:30Z":           0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q asks for %d µs, not %d", text, got, want)
		}
	}
}

// The participant's own word stands above the status, whatever that is; a word
// that nobody knows is none.
func TestUnwindOutcomeStandsAboveEveryStatus(t *testing.T) {
	for _, status := range []int{200, 201, 202, 302, 400, 401, 404, 409, 422, 425, 429, 500, 503} {
		for word, want := range map[string]string{
			"done": `done {"n":1}`, "refused": "refused", "in_progress": "in_progress",
			"DONE": "", "done, refused": "", "perhaps": "", "": "",
		} {
			a := answered(t, status, "Unwind-Outcome: "+word+"\r\n", `{"n":1}`)
			if want == "" {
				want = meaning(answered(t, status, "", `{"n":1}`))
			}
			if got := meaning(a); got != want {
				t.Errorf("%d with %q came to %q, not %q", status, word, got, want)
			}
		}
	}
}

func TestOutputs(t *testing.T) {
	fill := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ name, body, want string }{
		{"none", "", "done "},
		{"white space", " \r\n\t ", "done "},
		{"null", "null", "done null"},
		{"a number that no float holds", `{"amount": 12345678901234567890.10, "e": 1E+400, "z": -0}`, `done {"amount":12345678901234567890.10,"e":1E+400,"z":-0}`},
		{"white space around tokens", " { \"a\" : [ 1 , 2 ] } ", `done {"a":[1,2]}`},
		{"escapes stay as they are", `{"a":"\u0000\ud800\u003c"}`, `done {"a":"\u0000\ud800\u003c"}`},
		{"members that are there twice stay", `{"a":1,"a":2}`, `done {"a":1,"a":2}`},
		{"exactly 64 KiB", fill(unwind.MaxOutput), "done " + fill(unwind.MaxOutput)},
		{"a byte more", fill(unwind.MaxOutput + 1), "unreadable"},
		{"64 KiB and white space", fill(unwind.MaxOutput) + " ", "unreadable"},
		{"deep", nested(5_000), "done " + nested(5_000)},
		{"too deep", nested(30_000), "unreadable"},
		{"deep without an end", strings.Repeat("[", 60_000), "unreadable"},
		{"HTML", "<html>", "unreadable"},
		{"two values", "{} {}", "unreadable"},
		{"a byte order mark", "\xef\xbb\xbf{}", "unreadable"},
		{"NaN", "NaN", "unreadable"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "unreadable"},
		{"a control character in a string", "{\"a\":\"\x1b[31m\"}", "unreadable"},
		{"NUL after the value", "{}\x00", "unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := answered(t, 200, "", c.body)
			if got := meaning(a); got != c.want {
				t.Errorf("it came to %.80q, not %.80q: %s", got, c.want, a.Message)
			}
		})
	}
}

func TestMessagesAreShortPlainText(t *testing.T) {
	for _, c := range []struct{ name, headers, body, want string }{
		{"a problem's detail", "", `{"title":"T","detail":"sold out","status":409}`, "sold out"},
		{"an error", "", `{"error":"sold out"}`, "sold out"},
		{"a message", "", `{"message":"sold out"}`, "sold out"},
		{"an error that is an object", "", `{"error":{"code":7}}`, `{"error":{"code":7}}`},
		{"a text", "", " sold out\n", "sold out"},
		{"nothing", "", "", "Conflict"},
		{"ANSI escapes", "", "\x1b[2J\x1b[31mred\x1b[0m\a\b", "[2J [31mred [0m"},
		{"ANSI escapes in JSON", "", `{"detail":"\u001b[31mred\u009b0m"}`, "[31mred 0m"},
		{"NUL", "", "a\x00b", "a b"},
		{"line breaks that forge log lines", "", "sold out\r\nlevel=ERROR msg=forged", "sold out  level=ERROR msg=forged"},
		{"text that runs backwards", "", "abc\u202edcb", "abc dcb"},
		{"not UTF-8", "", "caf\xe9", "caf\ufffd"},
		{"long", "", strings.Repeat("é", 400), strings.Repeat("é", 250) + "…"},
		{"deep", "", strings.Repeat("[", 4000), strings.Repeat("[", 500) + "…"},
		{"a place to go to", "Location: http://169.254.169.254/\r\n", "", "Conflict to http://169.254.169.254/ (redirects are not followed)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.TrimSpace(answered(t, 409, c.headers, c.body).Message); got != c.want {
				t.Errorf("the message is %.80q, not %.80q", got, c.want)
			}
		})
	}
}

// A participant that sends back what it was sent must not carry our credentials
// into the history.
func TestConfiguredHeadersThatComeBackAreHidden(t *testing.T) {
	const token = "canary-7f3a9c"
	h := newHostile(t, say(okHead+"Unwind-Outcome: refused\r\n\r\n{\"detail\":\"bad header Bearer "+token+"\"}"))
	d := newDialogue(t, unwind.Participant{URL: h.url(), Headers: map[string]string{"Authorization": "Bearer " + token}})
	if a := d.attempt(unwind.Action, 10*time.Second); a.Message != "bad header [hidden]" {
		t.Errorf("the message is %q", a.Message)
	}
	h = newHostile(t, say(okHead+"\r\n{\"sent\":\""+token+"\",\"tenant\":\"acme-corporation\"}"))
	d = newDialogue(t, unwind.Participant{URL: h.url(), Headers: map[string]string{"X-Api-Key": token, "X-Tenant": "acme-corporation"}})
	if a := d.attempt(unwind.Action, 10*time.Second); string(a.Output) != `{"sent":"[hidden]","tenant":"acme-corporation"}` {
		t.Errorf("the output is %s", a.Output)
	}
}

func TestRateLimitHeadersReachFlowControl(t *testing.T) {
	h := http.Header{}
	h.Add("RateLimit", `"a";r=9;t=60`)
	h.Add("RateLimit", `"b";r=2;t=30`)
	h.Set("RateLimit-Policy", `"b";q=10;w=60`)
	want := machine.Quota{Remaining: 2, Reset: 30_000_000, Limit: 10, Window: 60_000_000}
	if got := quota(h, time.Unix(1_800_000_000, 0)); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := quota(http.Header{}, time.Now()); got != (machine.Quota{}) {
		t.Errorf("%+v without a header", got)
	}
}
