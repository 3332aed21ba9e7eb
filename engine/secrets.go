package engine

import (
	"bytes"
	"net/textproto"
	"strings"
)

// secrets hides the values of one participant's configured headers, should the
// participant send them back.
type secrets struct {
	all         *strings.Replacer // nil: there are none
	credentials [][]byte
}

// shortestSecret keeps values like "1" or "eu" from being hidden in every text.
const shortestSecret = 8

func secretsOf(headers map[string]string) (s secrets) {
	var pairs []string
	for name, value := range headers {
		for _, part := range append(strings.Fields(value), value) {
			if len(part) < shortestSecret {
				continue
			}
			pairs = append(pairs, part, hidden)
			if isCredential(name) {
				s.credentials = append(s.credentials, []byte(part))
			}
		}
	}
	if len(pairs) > 0 {
		s.all = strings.NewReplacer(pairs...)
	}
	return s
}

const hidden = "[hidden]"

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
func (s *secrets) hide(text string) string {
	if s.all == nil {
		return text
	}
	return s.all.Replace(text)
}

// hideIn replaces credentials in an output. Other headers' values are data there,
// such as the name of a tenant, and stay.
func (s *secrets) hideIn(output []byte) []byte {
	for _, c := range s.credentials {
		if bytes.Contains(output, c) {
			output = bytes.ReplaceAll(output, c, []byte(hidden))
		}
	}
	return output
}
