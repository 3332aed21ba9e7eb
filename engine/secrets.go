package engine

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// secrets hides the values of one participant's configured headers, should the
// participant send them back.
type secrets struct {
	all         *strings.Replacer
	credentials *strings.Replacer // nil: there are none
}

// shortestSecret keeps values like "1" or "eu" from being hidden in every text.
const shortestSecret = 8

func secretsOf(headers map[string]string) secrets {
	var all, credentials []string
	for name, value := range headers {
		parts := append(strings.Fields(value), value)
		all = append(all, parts...)
		if isCredential(name) {
			credentials = append(credentials, parts...)
		}
	}
	s := secrets{all: Hider(all)}
	if len(credentials) > 0 {
		s.credentials = Hider(credentials)
	}
	return s
}

const hidden = "[hidden]"

// Hider returns what hides values in a text, as they are and as they look when
// they are escaped for JSON, Go, HTML or a URL, or encoded in hexadecimal or, also
// as part of more, in base64. Values of less than 8 bytes are left alone.
func Hider(values []string) *strings.Replacer {
	var forms []string
	for _, v := range values {
		if len(v) >= shortestSecret {
			forms = append(forms, formsOf(v)...)
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, f := range slices.Compact(forms) {
		if len(f) >= shortestSecret {
			pairs = append(pairs, f, hidden)
		}
	}
	return strings.NewReplacer(pairs...)
}

var percent = regexp.MustCompile("%[0-9A-F]{2}")

func formsOf(v string) []string {
	quoted, _ := json.Marshal(v) // a string always marshals
	plain := strconv.Quote(v)
	forms := []string{
		v, string(quoted[1 : len(quoted)-1]), plain[1 : len(plain)-1], strings.ReplaceAll(string(quoted[1:len(quoted)-1]), "/", `\/`),
		html.EscapeString(v), hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))),
	}
	for _, escaped := range []string{url.QueryEscape(v), url.PathEscape(v)} {
		forms = append(forms, escaped, percent.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	// In base64 a text looks one of three ways, by where in a longer one it begins;
	// the characters at its ends depend on what lies around it.
	for before := range 3 {
		text := append(make([]byte, before), v...)
		begin, end := (before*8+5)/6, len(text)*8/6
		for _, code := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, code.EncodeToString(text)[begin:end])
		}
	}
	return forms
}

// isCredential reports whether a header's name says that its value is one.
func isCredential(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	for _, word := range [...]string{"Auth", "Cookie", "Token", "Secret", "Key", "Password", "Signature", "Session"} {
		if strings.Contains(name, word) || strings.Contains(name, strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// hide replaces every configured value in a message.
func (s *secrets) hide(text string) string { return s.all.Replace(text) }

// hideIn replaces credentials in an output. Other headers' values are data there,
// such as the name of a tenant, and stay.
func (s *secrets) hideIn(output []byte) []byte {
	if s.credentials == nil || len(output) == 0 {
		return output
	}
	return []byte(s.credentials.Replace(string(output)))
}
