package flow

import "math"

const (
	// sharedHeads is how many tasks of one target stay in memory, about.
	sharedHeads = 16 * DefaultHeads
	// fewestHeads is how many of them a queue has at least, however many share.
	fewestHeads = 16
)

// most is how many tasks of the queue stay in memory: its bound, or an even share
// where the target has so many queues (a tenant each) that they would not fit.
func (q *queue) most() int {
	if q.bound == math.MaxInt {
		return q.bound
	}
	return min(q.bound, max(sharedHeads/max(q.target.queues, 1), fewestHeads))
}
