package sim

// chance is a stream of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
type chance uint64

func (c *chance) next() uint64 {
	*c += 0x9e3779b97f4a7c15
	return scramble(uint64(*c))
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn returns 0 to n-1.
func (c *chance) intn(n int) int { return int(c.next() % uint64(n)) }

// span returns lo to hi, both included.
func (c *chance) span(lo, hi int64) int64 { return lo + int64(c.next()%uint64(hi-lo+1)) }

// percent is true in p of a hundred cases.
func (c *chance) percent(p int) bool { return c.intn(100) < p }

// dice are random numbers that belong to a place rather than to a moment, so
// that they stay the same when something else is taken out of a schedule.
func dice(seed uint64, place ...uint64) chance {
	for _, p := range place {
		seed = scramble(seed ^ p*0x9e3779b97f4a7c15)
	}
	return chance(seed)
}
