package main

import "slices"

// A sample holds one number per round, in the order of the rounds.
type sample []float64

// median returns the middle of s, or the mean of the two in the middle. The
// median of nothing is 0.
func (s sample) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// min returns the least number, or 0 if there is none.
func (s sample) min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

// max returns the greatest number, or 0 if there is none.
func (s sample) max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// over divides s by t round by round, so that what slows a whole round down
// cancels out. Rounds that only one of them has, or in which t is 0, are left
// out.
func (s sample) over(t sample) sample {
	var ratios sample
	for i, v := range s {
		if i < len(t) && t[i] != 0 {
			ratios = append(ratios, v/t[i])
		}
	}
	return ratios
}
