package names

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxSide bounds how many streets of a crossing's shorter side are tried, and maxCrossings how many crossings
	// of a pair of sides are ranked.
	maxSide      = 256
	maxCrossings = 256
	// maxCut bounds the labels that are looked at for one side, and maxCuts the words of a query that is cut
	// anywhere.
	maxCut  = 4_000
	maxCuts = 10
	// maxMarks bounds how many of a query's separators are tried.
	maxMarks = 4
	// cutAnywhere is what a crossing that the query does not mark as one is worse.
	cutAnywhere = 2
)

// crossing is where two streets of a query meet.
type crossing struct {
	a, b  met // in the order of the query
	score int
}

// crossings returns where streets of two lists meet, the best of them if there are too many. It may sort the lists.
func (s *search) crossings(a, b []met) (out []crossing) {
	few, many := a, b
	if len(many) < len(few) {
		few, many = many, few
	}
	swapped := len(b) < len(a)
	slices.SortFunc(many, func(p, q met) int { return int(p.doc - q.doc) })
	slices.SortFunc(few, func(p, q met) int { return cmp.Or(p.score-q.score, int(p.doc-q.doc)) })
	for _, p := range few[:min(len(few), maxSide)] {
		last := int32(-1)
		for _, v := range s.x.meet.of(p.doc) {
			if s.meetings--; s.meetings < 0 {
				break
			}
			if v.with == last {
				continue
			}
			last = v.with
			i, ok := slices.BinarySearchFunc(many, v.with, func(m met, doc int32) int { return int(m.doc - doc) })
			if !ok {
				continue
			}
			c := crossing{p, many[i], p.score + many[i].score}
			if swapped {
				c.a, c.b = c.b, c.a
			}
			out = append(out, c)
		}
	}
	if len(out) > maxCrossings {
		slices.SortStableFunc(out, func(p, q crossing) int { return p.score - q.score })
		out = out[:maxCrossings]
	}
	return out
}

// sides are two halves of a query that may name two streets.
type sides struct {
	left, right string
	sure        bool // nothing but a crossing is written so
}

// joining are words between two streets: sure ones, and those that are often something else.
var joining = map[string]bool{
	"and": true, "at": true, "und": true, "ecke": true, "et": true, "및": true, "와": true, "과": true, "и": true,
	"y": false, "e": false, "i": false, "en": false, "x": false, "angle": false, "esquina": false, "corner": false,
}

// marked returns the halves of a query at each of its separators, the surest first.
func marked(text string) (out []sides) {
	for i, r := range text {
		switch r {
		case '&', '@', '/', '+', ';', ',', '＆', '×':
			out = append(out, sides{text[:i], text[i+len(string(r)):], r != ','})
		}
	}
	words := strings.Fields(text)
	for i, w := range words {
		if i+1 == len(words) {
			break
		}
		left, right := strings.Join(words[:i], " "), strings.Join(words[i+1:], " ")
		if sure, ok := joining[strings.ToLower(w)]; ok && i > 0 {
			out = append(out, sides{left, right, sure})
		} else if stem, ok := cutParticle(w); ok {
			out = append(out, sides{strings.TrimSpace(left + " " + stem), right, true})
		}
	}
	slices.SortStableFunc(out, func(a, b sides) int {
		switch {
		case a.sure == b.sure:
			return 0
		case a.sure:
			return -1
		}
		return 1
	})
	return out[:min(len(out), maxMarks)]
}

// trimmed takes a separator off the end of a query that goes on there.
func trimmed(text string) string {
	text = strings.TrimSpace(text)
	if i := strings.LastIndexFunc(text, unicode.IsSpace); i > 0 && joining[strings.ToLower(strings.TrimSpace(text[i:]))] {
		return text[:i]
	}
	return text
}
