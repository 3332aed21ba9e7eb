package flow

import (
	"encoding/binary"

	"github.com/unwindhq/unwind/internal/planted"
)

// What of an adaptive lane survives a restart: the rate that it had found, what that
// climbs back to, the window that its service was seen to count in, and whether others use
// the service: that the lane is careful, and the rate below which cuts are in vain. It is written
// with the lane's reservations, so it is a block old and costs no write.
//
// The encoding is a version, then varints: rate and peak in millionths of a call per
// second, peak 0 where nothing has been refused yet, and the window in ns. Since version 2
// also 1 for a careful lane, else 0, the rate below which cuts are in vain, 0 for none,
// and the share of refusals by then, in millionths.
const foundVersion = 2

// encode returns what a restart needs of the rate; nothing where it is not adaptive.
func (a *adaptive) encode() []byte {
	if !a.on {
		return nil
	}
	rate, careful := a.rate, int64(0)
	if a.base > 0 { // more is being tried
		rate = a.base
	}
	if a.careful {
		careful = 1
	}
	b := []byte{foundVersion}
	for _, v := range [...]int64{rate, a.peak, a.window, careful, a.vain.least, a.vain.usual} {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// restore begins where an earlier process was, once the limits are set: at what the end
// of slow start would leave, because nobody knows what happened since, and on the way
// back to the peak. Restart after restart makes it no lower. What can't be read says
// nothing: the lane begins anew.
func (a *adaptive) restore(body []byte) {
	if !a.on || len(body) == 0 || body[0] == 0 || body[0] > foundVersion || planted.On(planted.ForgetRate) {
		return
	}
	var v [6]int64
	values := v[:]
	if body[0] == 1 {
		values = v[:3]
	}
	body = body[1:]
	for i := range values {
		value, n := binary.Varint(body)
		if n <= 0 || value < 0 {
			return
		}
		values[i], body = value, body[n:]
	}
	if len(body) > 0 || v[0] == 0 {
		return
	}
	a.peak = min(v[1], fastest) // a limit that is lower for a while takes nothing of it
	rate := min(v[0], fastest)
	a.rate = min(max(min(rate, max(rate, a.peak)*overshot/100), slowest), a.limit)
	a.depth = max(0, a.peak-a.rate)
	a.slow = a.peak == 0
	a.window = min(v[2], windowMost)
	a.careful = v[3] > 0 && !a.slow
	a.vain.least, a.vain.usual = min(v[4], fastest), min(v[5], vainMost)
	a.vain.share = a.vain.usual
}
