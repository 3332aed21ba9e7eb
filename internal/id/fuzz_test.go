package id

import (
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "019b76da-a800-7fff-8fff-ffffffffffff", "019B76DA-A800-7FFF-8FFF-FFFFFFFFFFFF", "019307e2-5a00-7001-8000-000000000001",
		"00000000-0000-7000-0000-000000000000", "ffffffff-ffff-7fff-ffff-ffffffffffff", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
		"urn:uuid:019b76da-a800-7fff-8fff-ffffffffffff", "{019b76da-a800-7fff-8fff-fffffffffff}", "019b76daa8007fff8fffffffffffffff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i, err := Parse(text)
		if err != nil {
			if i != (ID{}) || !strings.Contains(err.Error(), "is not a saga id") {
				t.Fatalf("Parse(%q) = %s, %v", text, i, err)
			}
			return
		}
		if i.String() != strings.ToLower(text) {
			t.Fatalf("%q was read as %s", text, i)
		}
		again, err := Parse(i.String())
		if err != nil || again != i {
			t.Fatalf("%s reads back as %s (%v)", i, again, err)
		}
		if slot := i.Slot(); slot < 0 || slot >= Slots {
			t.Fatalf("%s is in slot %d", i, slot)
		}
		if i.Sequence() > Last.Sequence() || i.Sequence() < (ID{}).Sequence() {
			t.Fatalf("%s has the sequence %d, outside of what lies between the zero id and the last", i, i.Sequence())
		}
	})
}
