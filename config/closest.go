package config

import "github.com/unwindhq/unwind"

// closest returns the known name that a slip of the finger leads from, if any
// is near: a letter too many, too few, wrong, or swapped with its neighbour.
func closest(name string, known []string) (string, bool) {
	if len(name) > 2*unwind.MaxNameLength {
		return "", false
	}
	best, bestCost := "", max(2, len(name)/3)+1
	for _, k := range known {
		if c := slips(name, k); c < bestCost && c < len(k) {
			best, bestCost = k, c
		}
	}
	return best, best != ""
}

// slips is the distance of Damerau and Levenshtein (optimal string alignment).
func slips(a, b string) int {
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := above[j]
			if a[i] != b[j] {
				cost++
			}
			row[j+1] = min(cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
