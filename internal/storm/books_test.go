package storm

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAKeyThatWasForgottenRefundsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &books{lifetime: 5 * time.Second, keys: map[string]time.Time{}}
		e := effect{saga: "s", step: "charge"}
		b.refund("k", e)
		time.Sleep(5*time.Second - 1) //nolint:forbidigo // the bubble's clock
		b.refund("k", e)
		if n := len(b.refunded()); n != 1 || !b.done("k") {
			t.Errorf("%d refunds within the key's life", n)
		}
		time.Sleep(time.Nanosecond) //nolint:forbidigo // the bubble's clock
		b.refund("k", e)
		if n := len(b.refunded()); n != 2 || b.distinct() != 1 {
			t.Errorf("%d refunds after it, of %d charges", n, b.distinct())
		}
	})
}
