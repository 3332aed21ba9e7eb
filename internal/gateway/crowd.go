package gateway

import (
	"errors"
	"math"
	"time"
)

// A Crowd is a service that does less the more it has to do at once: up to knee
// calls in flight each takes base, and beyond that base*(n/knee)^power. It
// rejects nothing; callers who wait for less than that get no answer, and the
// calls have their effects all the same.
type Crowd struct {
	knee  int
	base  time.Duration
	power float64
}

// NewCrowd makes the model. The error says that an argument is not above zero.
func NewCrowd(knee int, base time.Duration, power float64) (*Crowd, error) {
	if knee <= 0 || base <= 0 || !(power > 0) {
		return nil, errors.New("gateway: a crowd: want a knee, a time and a power above 0")
	}
	return &Crowd{knee: knee, base: base, power: power}, nil
}

// Arrive implements [Model].
func (c *Crowd) Arrive(_ time.Time, inFlight int) Verdict {
	load := max(float64(inFlight+1)/float64(c.knee), 1)
	return Verdict{Took: time.Duration(float64(c.base) * math.Pow(load, c.power))}
}

// Capacity implements [Model]: that of knee calls in flight.
func (c *Crowd) Capacity(time.Duration) float64 { return float64(c.knee) / c.base.Seconds() }

// Takes implements [Model].
func (c *Crowd) Takes(time.Duration) time.Duration { return c.base }
