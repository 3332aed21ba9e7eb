package machine

import clock "time"

func aliased() clock.Time { return clock.Now() } // want "time.Now in ./internal/machine: the time comes in"

func asValue() func(clock.Time) clock.Duration {
	return clock.Since // want "time.Since in ./internal/machine: the time comes in"
}

func waits() {
	clock.Sleep(clock.Second) // want "time.Sleep in ./internal/machine: waiting is an effect"
}

func zone(at clock.Time) (clock.Time, *clock.Location) {
	return at.Local(), // want "(time.Time).Local in"
		clock.Local // want "time.Local in ./internal/machine: the time zone"
}

// What comes in as an argument may be reckoned with.
func pure(now clock.Time) clock.Time { return now.Add(clock.Minute).UTC() }
