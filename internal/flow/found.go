package flow

import (
	"encoding/binary"

	"github.com/unwindhq/unwind/internal/planted"
)

// What of an adaptive lane survives a restart: the rate that it had found, what that
// climbs back to, and the window that its service was seen to count in. It is written
// with the lane's reservations, so it is a block old and costs no write.
//
// The encoding is a version, then varints: rate and peak in millionths of a call per
// second, peak 0 where nothing has been refused yet, and the window in ns.
const foundVersion = 1

// encode returns what a restart needs of the rate; nothing where it is not adaptive.
func (a *adaptive) encode() []byte {
	if !a.on {
		return nil
	}
	rate := a.rate
	if a.base > 0 { // more is being tried
		rate = a.base
	}
	b := []byte{foundVersion}
	for _, v := range [...]int64{rate, a.peak, a.window} {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// restore begins where an earlier process was, once the limits are set: at what the end
// of slow start would leave, because nobody knows what happened since, and on the way
// back to the peak. Restart after restart makes it no lower. A lane that was careful is
// so no more. What can't be read says nothing: the lane begins anew.
func (a *adaptive) restore(body []byte) {
	if !a.on || len(body) == 0 || body[0] != foundVersion || planted.On(planted.ForgetRate) {
		return
	}
	var v [3]int64
	body = body[1:]
	for i := range v {
		value, n := binary.Varint(body)
		if n <= 0 || value < 0 {
			return
		}
		v[i], body = value, body[n:]
	}
	if len(body) > 0 || v[0] == 0 {
		return
	}
	a.peak = min(v[1], a.limit)
	rate := min(v[0], fastest)
	a.rate = min(max(min(rate, max(rate, a.peak)*overshot/100), slowest), a.limit)
	a.depth = max(0, a.peak-a.rate)
	a.slow = a.peak == 0
	a.window = min(v[2], windowMost)
}
