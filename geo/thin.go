package geo

import (
	"slices"
)

// Thin returns which points of a line to keep so that at most that many remain: those that shape it
// most, by the algorithm of D. Douglas and T. Peucker (Cartographica 10(2), 1973, pages 112 to 122), with
// the smallest tolerance of a sequence that grows by half. The indices of keep, which are sorted, and both
// ends always remain, even if they alone are more.
func Thin(line []Point, keep []int, most int) []int {
	fixed := slices.Concat([]int{0}, keep, []int{len(line) - 1})
	slices.Sort(fixed)
	fixed = slices.Compact(fixed)
	if len(line) <= most {
		all := make([]int, len(line))
		for i := range all {
			all[i] = i
		}
		return all
	}
	for toleranceM := 1.0; ; toleranceM *= 1.5 {
		kept := []int{fixed[0]}
		for i := 1; i < len(fixed); i++ {
			kept = append(kept, shaping(line, fixed[i-1], fixed[i], toleranceM)...)
		}
		if len(kept) <= max(most, len(fixed)) {
			return kept
		}
	}
}

// shaping returns the points after first up to last that are needed to stay within a tolerance.
func shaping(line []Point, first, last int, toleranceM float64) (kept []int) {
	type part struct{ first, last int }
	for open := []part{{first, last}}; len(open) > 0; {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		worst, worstM := 0, toleranceM
		for i := p.first + 1; i < p.last; i++ {
			if _, awayM := flatAt(line[i]).nearest(line[p.first], line[p.last]); awayM > worstM {
				worst, worstM = i, awayM
			}
		}
		if worst == 0 {
			kept = append(kept, p.last)
			continue
		}
		open = append(open, part{worst, p.last}, part{p.first, worst}) // the first half comes next
	}
	return kept
}
