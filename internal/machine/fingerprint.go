package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/unwindhq/unwind"
)

var variable = regexp.MustCompile(`"[^"]*"|'[^']*'|[0-9a-fA-F]{8,}(-[0-9a-fA-F]{4,})*|\d+`)

// Fingerprint names the cause of a dead letter: saga, step, direction, service,
// status (or class, where there was none) and the message with its variable
// parts taken out. 16 hexadecimal digits.
func Fingerprint(p *Plan, step int, dir unwind.Direction, cause unwind.CallError) string {
	kind, text := general(cause)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%s", p.Name, p.Steps[step].Name, dir, p.Call(step, dir).Service, kind, text))
	return hex.EncodeToString(sum[:8])
}

// Cause names what one service gave as the cause of a dead letter, whatever saga and
// step it belongs to: status (or class) and the message without its variable parts.
func Cause(cause unwind.CallError) string {
	kind, text := general(cause)
	return kind + " " + text
}

func general(cause unwind.CallError) (kind, text string) {
	kind = string(cause.Class)
	if cause.Status != 0 {
		kind = strconv.Itoa(cause.Status)
	}
	return kind, variable.ReplaceAllString(cause.Message, "#")
}
