package machine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/unwindhq/unwind"
)

// Token names an asynchronous call that is awaited: POST /v1/calls/{token}
// completes it. It is the text form of saga, step, direction and generation; it
// is no secret by itself, only its saga's id is hard to guess.
func Token(saga string, step int, dir unwind.Direction, generation uint32) string {
	b := append([]byte{}, saga...)
	b = append(b, byte(step), dir[0])
	b = binary.AppendUvarint(b, uint64(generation))
	return base64.RawURLEncoding.EncodeToString(append(b, check(b)...))
}

// check guards against tokens that were cut or mistyped.
func check(b []byte) []byte {
	h := hmac.New(sha256.New, []byte("unwind call token"))
	h.Write(b)
	return h.Sum(nil)[:6]
}

// ParseToken reads what Token wrote.
func ParseToken(token string) (saga string, step int, dir unwind.Direction, generation uint32, err error) {
	bad := errors.New("it is not a call token; copy it from the saga's call_token")
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 36+2+1+6 {
		return "", 0, "", 0, bad
	}
	body, sum := b[:len(b)-6], b[len(b)-6:]
	if !hmac.Equal(sum, check(body)) {
		return "", 0, "", 0, bad
	}
	dir = unwind.Action
	if body[37] == unwind.Compensation[0] {
		dir = unwind.Compensation
	}
	g, n := binary.Uvarint(body[38:])
	if n <= 0 {
		return "", 0, "", 0, bad
	}
	return string(body[:36]), int(body[36]), dir, uint32(g), nil
}
