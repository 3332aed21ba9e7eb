package engine

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// A secret is hidden however a participant writes it down.
func TestSecretsAreHiddenHoweverTheyAreWritten(t *testing.T) {
	const secret = `p<ä&"s/w+r d\7f3a9c'`
	quoted, _ := json.Marshal(secret)
	hide := Hider([]string{secret, "short"})
	for name, form := range map[string]string{
		"as it is":                      secret,
		"as JSON":                       string(quoted),
		"as JSON with escaped slashes":  strings.ReplaceAll(string(quoted), "/", `\/`),
		"quoted as in Go":               strconv.Quote(secret),
		"as HTML":                       html.EscapeString(secret),
		"in a query":                    url.QueryEscape(secret),
		"in a query, in lower case":     percent.ReplaceAllStringFunc(url.QueryEscape(secret), strings.ToLower),
		"in a path":                     url.PathEscape(secret),
		"in hexadecimal":                hex.EncodeToString([]byte(secret)),
		"in base64":                     base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 for URLs":            base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"in base64, behind one byte":    base64.StdEncoding.EncodeToString([]byte("x" + secret + "tail")),
		"in base64, behind a user name": base64.StdEncoding.EncodeToString([]byte("shop:" + secret + "t")),
	} {
		if got := hide.Replace("I was sent " + form + " by short"); !strings.Contains(got, "[hidden]") || strings.Contains(got, form) || len(got) > len("I was sent  by short")+30 {
			t.Errorf("%s: it shows %q", name, got)
		}
	}
	if got := hide.Replace("short of stock"); got != "short of stock" {
		t.Errorf("a text without it becomes %q", got)
	}
}

// What a participant echoes in its output stays JSON.
func TestEscapedCredentialsAreHiddenInOutputs(t *testing.T) {
	const token = `t<k"n/7f3a9c1`
	body, _ := json.Marshal(map[string]string{"plain": token, "basic": base64.StdEncoding.EncodeToString([]byte("a:" + token)), "url": url.QueryEscape(token)})
	s := secretsOf(map[string]string{"Authorization": "Bearer " + token})
	got := s.hideIn(body)
	if !json.Valid(got) || strings.Count(string(got), "[hidden]") != 3 || strings.Contains(string(got), "7f3a9c1") {
		t.Errorf("the output is %s", got)
	}
	none := secretsOf((&unwind.Participant{}).Headers)
	if got := none.hideIn(body); string(got) != string(body) {
		t.Errorf("without secrets the output is %s", got)
	}
}
