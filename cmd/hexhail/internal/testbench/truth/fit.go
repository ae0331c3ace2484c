package main

import (
	"math"
	"slices"
)

// quantile is the q-quantile of values, NaN of none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1)+0.5)]
}

// medianRatio is the factor that frees a guess of bias.
func medianRatio(trips []*trip, truth, guess func(*trip) float64) float64 {
	var v []float64
	for _, t := range trips {
		if g := guess(t); g > 0 {
			v = append(v, truth(t)/g)
		}
	}
	return quantile(v, 0.5)
}

// fit returns the weights, none below 0, whose weighted sum of features is nearest to the truth: the
// least mean relative error, by weighted least squares again and again.
func fit(trips []*trip, features func(*trip) []float64, truth func(*trip) float64) []float64 {
	rows := make([][]float64, len(trips))
	for i, t := range trips {
		for _, x := range features(t) {
			rows[i] = append(rows[i], x/truth(t))
		}
	}
	weight := make([]float64, len(rows))
	for i := range weight {
		weight[i] = 1
	}
	off := make([]bool, len(rows[0]))
	var w []float64
	for range 40 {
		w = leastSquares(rows, weight, off)
		for i := range w {
			if w[i] < 0 {
				w[i], off[i] = 0, true
			}
		}
		for i, x := range rows {
			sum := 0.0
			for j := range x {
				sum += w[j] * x[j]
			}
			weight[i] = 1 / max(math.Abs(sum-1), 0.02)
		}
	}
	return w
}

// leastSquares finds w with rows·w near 1; columns that are off get 0.
func leastSquares(rows [][]float64, weight []float64, off []bool) []float64 {
	n := len(off)
	a, b := make([][]float64, n), make([]float64, n)
	for i := range a {
		a[i] = make([]float64, n)
		a[i][i] = 1e-9
	}
	for r, x := range rows {
		for i := range x {
			b[i] += weight[r] * x[i]
			for j := range x {
				a[i][j] += weight[r] * x[i] * x[j]
			}
		}
	}
	for i := range off {
		if !off[i] {
			continue
		}
		for j := range off {
			a[i][j], a[j][i] = 0, 0
		}
		a[i][i], b[i] = 1, 0
	}
	return solve(a, b)
}

// solve is Gauss-Jordan elimination with pivots; it changes its arguments.
func solve(a [][]float64, b []float64) []float64 {
	n := len(a)
	for i := range n {
		p := i
		for r := i + 1; r < n; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[p][i]) {
				p = r
			}
		}
		a[i], a[p], b[i], b[p] = a[p], a[i], b[p], b[i]
		if a[i][i] == 0 {
			continue
		}
		for r := range n {
			if r == i {
				continue
			}
			f := a[r][i] / a[i][i]
			for c := i; c < n; c++ {
				a[r][c] -= f * a[i][c]
			}
			b[r] -= f * b[i]
		}
	}
	x := make([]float64, n)
	for i := range x {
		if a[i][i] != 0 {
			x[i] = b[i] / a[i][i]
		}
	}
	return x
}
