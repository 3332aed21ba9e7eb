package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/unwindhq/unwind"
)

var variable = regexp.MustCompile(`"[^"]*"|'[^']*'|[0-9a-fA-F]{8,}(-[0-9a-fA-F]{4,})*|\d+`)

// Fingerprint names the cause of a dead letter: saga, step, direction, service,
// status (or class, where there was none) and the message with its variable
// parts taken out. 16 hexadecimal digits.
func Fingerprint(p *Plan, step int, dir unwind.Direction, cause unwind.CallError) string {
	kind := string(cause.Class)
	if cause.Status != 0 {
		kind = fmt.Sprint(cause.Status)
	}
	text := variable.ReplaceAllString(cause.Message, "#")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%s", p.Name, p.Steps[step].Name, dir, p.Call(step, dir).Service, kind, text))
	return hex.EncodeToString(sum[:8])
}
