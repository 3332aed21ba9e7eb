package flow

// The constants of the law, see docs/decisions/0015-adaptive-rate.md.
const (
	// keep is what a cut leaves, in hundredths.
	keep = 90
	// Slow start multiplies the rate by e in so many round trips, in no less than
	// fastestStart and no more than slowestStart.
	trips        = 10
	fastestStart = second * 2 / 5
	slowestStart = second
	// firstShare of the limit is where slow start begins.
	firstShare = 8
	// overshot is what is left of the rate, in hundredths, when slow start ends:
	// it went by as much as the service's bucket holds.
	overshot = 70
	// A service that saves nothing up, a bucket of one call, shows it twice: the
	// search is refused at no less than shallowEdge hundredths of the rate at which
	// the first slow start was, and later refusals come before shallowCalls are
	// taken beyond the peak. What it refuses is unevenness, one call that comes too
	// soon after the one before: the rate keeps shallowKeep hundredths, the peak
	// goes a shallowPart-th of the way, and the climb takes shallowClimb.
	shallowEdge  = 88
	shallowCalls = perCall * 3 / 2
	shallowKeep  = 96
	shallowPart  = 4
	shallowClimb = 8 * second
	// shallowStreak refusals in a row are unevenness still.
	shallowStreak = 2
	// lateLeast is what an answer that is late is late by.
	lateLeast = second / 1000
	// search is in how long the search for the peak multiplies the rate by e.
	search = 4 * second
	// climb is how long the way back to the peak takes, but climbCalls calls at least;
	// half of both after a search. It takes climbMost at most: a lane that was cut to next to
	// nothing comes back.
	climb      = 9 * second / 2
	climbCalls = 150
	climbMost  = 45 * second
	// boundless is how far beyond its peak, in thousandths of the climb, the
	// rate may be before it grows as in slow start again: the service has more
	// to give than it had.
	boundless = 1000
	// plenty is how many calls more than at the peak it must have taken by then:
	// more than a bucket gives, and than were saved below a peak that is too low.
	plenty = 14 * perCall
	// spare is how many calls more than held before a trial must take, to have found more: more
	// than a bucket gives at once.
	spare = 20 * perCall
	// pause is what the network may put between two answers, beyond their pace,
	// before the lane counts as idle.
	pause = 10 * second / 1000
	// Two cuts within collapse are one fall of capacity.
	collapse = second
	// A second cut within that leaves this much at least, in hundredths.
	fall = 40
	// sure is, in hundredths of the peak, what is borne without a doubt.
	sure = 97
	// Within so much of a drain's end nothing is tried any more: what is refused
	// then waits for longer than could be won.
	endingTime = 2 * second
	// endingStill is for how long nothing has come by then: sagas that owe several
	// compensations queue one at a time.
	endingStill = second / 5
	// What leaves less than fallen hundredths of the rate is a fall, no unevenness.
	fallen = 60
	// tellingCalls is from how many calls on an epoch tells the rate. One of fewer
	// than shortCalls tells it alone; a longer one no more where it tells of less than
	// changed hundredths of what was taken last.
	tellingCalls = 12
	shortCalls   = 100
	changed      = 88
	// searchStreak refusals in a row leave as much as slow start's end does.
	searchStreak = 2
	// foundCalls between two refusals end the search.
	foundCalls = 6
	// A first slow start that is refused before earlyCalls, and within collapse again
	// before againCalls more, met a service that has little to give: the lane is careful.
	// Of the rate at which n calls were taken till then it begins again at n parts in
	// carefulPart, carefulLeast hundredths at least: the fewer they were, the more of them
	// a bucket gave. It searches by e in carefulSearch calls, in search at least, and the
	// peak is carefulEdge hundredths of where that ends, at most; its climbs take
	// carefulClimb times as many calls. For new capacity it searches too, and is
	// careful no more where that comes to carefulMost times its peak.
	earlyCalls    = 20
	againCalls    = 12
	carefulPart   = 40
	carefulLeast  = 30
	carefulSearch = 160
	carefulEdge   = 77
	carefulClimb  = 2
	carefulMost   = 3
	// remembered is how many answers tell the rate at which the service took
	// calls of late, within tellingTime.
	remembered  = 128
	tellingTime = second
	// After a fall the lane tries for what it had: first after retryFirst, then
	// each time after so many hundredths of the time before.
	retryFirst = second * 5 / 4
	retryMore  = 114
	// So many cuts in a row that are followed by the next within so many calls each, and leave
	// vainPart hundredths of the rate at most, were in vain: it isn't cut below what it was before
	// the first of them, for vainLast answers. The share of refusals in the last vainAnswers
	// or so, in millionths, must be vainMost at most, and come to no more than half as much again
	// and vainMore.
	vainCuts    = 7
	vainCalls   = 60
	vainPart    = 60
	vainLast    = 600
	vainAnswers = 32
	vainMost    = perCall * 5 / 8
	vainMore    = perCall / 8

	// chance is how many refusals in a row tell of no window, while it searches.
	chance = 6
	// refusedLeast is from when on a refusal of everything tells of a window.
	refusedLeast = second / 2
	// refusedShare: and then it is no less than this part of the window.
	refusedShare = 32
	// While everything is refused one call goes at a time, after heldLeast at
	// first, doubled up to heldMost or a tenth of what it lasts already.
	heldLeast = second * 3 / 20
	heldMost  = second
	// windowMost is the longest window that slows the growth.
	windowMost = 3600 * second
)
