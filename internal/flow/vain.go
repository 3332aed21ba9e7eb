package flow

import "github.com/unwindhq/unwind/internal/planted"

// vain finds that cuts are in vain: that a refusal's probability hardly depends on the
// lane's own rate, because others empty the service's bucket. The rate of such a lane would
// fall for ever, and its share of refusals with it not at all. Where a number of cuts in a
// row has left much less of the rate, and each was soon followed by another, they are taken
// back, and the rate is cut no further while refusals stay as rare as that.
type vain struct {
	share int64 // of refusals in the answers of late, in millionths; without those of a hold

	cuts  int   // in a row, each soon after the one before
	from  int64 // the rate before the first of them
	least int64 // no cut goes below; 0: cuts help, as far as is known
	usual int64 // the share when that was found
	told  int64 // answers since then
}

// answered takes in an answer. What was found holds for so many, and while no more
// of them are refusals; then it has to be seen again.
func (v *vain) answered(refused bool) {
	one := int64(0)
	if refused {
		one = perCall
	}
	v.share += (one - v.share) / vainAnswers
	if v.least == 0 {
		return
	}
	v.told++
	if v.told > vainLast || v.share > min(v.usual*3/2+vainMore, vainMost) {
		v.cuts, v.least = 0, 0
	}
}

// cut takes in a cut after so many calls. One that comes late helped.
func (v *vain) cut(from, to, calls int64) {
	switch {
	case planted.On(planted.CutInVain):
		return
	case calls >= vainCalls:
		v.cuts, v.least = 0, 0
		return
	case v.cuts == 0:
		v.from = from
	}
	v.cuts++
	if v.least == 0 && v.cuts >= vainCuts && to <= v.from*vainPart/100 && v.share <= vainMost {
		v.least, v.usual, v.told = v.from, v.share, 0
	}
}
