package engine

import (
	"fmt"
	"strings"
)

// Bounds on what operators write, in bytes.
const (
	mostReason = 4096
	mostNote   = 4096
	mostOwner  = 200
)

// sayWhy is what a reason is for.
const sayWhy = "say why, for those who read the audit"

// checkWords refuses a text of an operator that is longer than most bytes, or holds what
// would steer whatever shows it to the next one. Where it is needed, missing says what to
// write.
func checkWords(doing, pointer, text string, most int, missing string) error {
	switch {
	case missing != "" && strings.TrimSpace(text) == "":
		return invalid(doing, pointer, missing)
	case len(text) > most:
		return invalid(doing, pointer, fmt.Sprintf("it has %d bytes and the most is %d", len(text), most))
	}
	if r, found := deceiver(text, "\n\t"); found {
		return invalid(doing, pointer, fmt.Sprintf("it holds the control character %U; take it away", r))
	}
	return nil
}

func checkReason(doing, reason string) error {
	return checkWords(doing, "/reason", reason, mostReason, sayWhy)
}

// deceiver finds a character that deceives, but for those that are allowed.
func deceiver(text, allowed string) (r rune, found bool) {
	for _, r := range text {
		if deceives(r) && !strings.ContainsRune(allowed, r) {
			return r, true
		}
	}
	return 0, false
}
