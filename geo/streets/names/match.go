package names

import (
	"math/bits"
	"slices"
)

// How much worse than an equal word others are. Words of the name that the query does not have count
// less.
const (
	asBeginning = 1
	asMistake   = 3
	wordWeight  = 8
	otherWord   = 2
	plainWord   = 1
	unmet       = -1 // no match at all
)

// wanted is a word of a query with the words of the index that it meets.
type wanted struct {
	exact    []int32 // itself, and what it may be short for
	lo, hi   int32   // the words that it begins
	mistaken []int32
	labels   int  // in which they occur, at most
	specific bool // not every other street has it
}

// want looks a word up. Of the last one any letter is a beginning, of others two.
func (x *Index) want(t token, last bool) (w wanted) {
	forms := append([]string{t.text}, t.forms...)
	for _, f := range forms {
		if i := x.dict.find(f); i >= 0 {
			w.exact = append(w.exact, i)
		}
	}
	literal := len(w.exact) > 0
	if !t.number && (last || len(t.text) > 1) {
		w.lo, w.hi = x.dict.beginning(t.text)
	}
	if !literal && !t.number {
		w.mistaken = x.dict.mistaken(t.text)
	}
	w.specific = t.number || !isGeneric(t) && (len([]rune(t.text)) > 1 || literal)
	for _, i := range w.exact {
		w.labels += int(x.first[i+1] - x.first[i])
	}
	w.labels += int(x.first[w.hi] - x.first[w.lo])
	for _, i := range w.mistaken {
		w.labels += int(x.first[i+1] - x.first[i])
	}
	return w
}

// penalty is how badly the word meets one of the index, unmet if not at all.
func (w *wanted) penalty(word int32) int {
	switch {
	case slices.Contains(w.exact, word):
		return 0
	case word >= w.lo && word < w.hi:
		return asBeginning
	case len(w.mistaken) > 0:
		if _, ok := slices.BinarySearch(w.mistaken, word); ok {
			return asMistake
		}
	}
	return unmet
}

// each calls fn for the labels that have a word which w meets, the best words first, until fn returns false.
func (x *Index) each(w *wanted, fn func(label int32) bool) {
	words := func(first, end int32) bool {
		for _, l := range x.found[x.first[first]:x.first[end]] {
			if !fn(l) {
				return false
			}
		}
		return true
	}
	for _, i := range w.exact {
		if !words(i, i+1) {
			return
		}
	}
	if !words(w.lo, w.hi) {
		return
	}
	for _, i := range w.mistaken {
		if !words(i, i+1) {
			return
		}
	}
}

// score says how well the words of a query meet a label: 0 if they are equal, more the worse. It is
// negative if a word has no place in it.
func (x *Index) score(l int32, query []wanted) int {
	b := &x.labels[l]
	if int(b.words) < len(query) {
		return unmet
	}
	var used uint16
	total, last, turned := 0, -1, 0
	for i := range query {
		best, at := unmet, 0
		for _, o := range x.occursOf(l) {
			if used&(1<<o.at) != 0 {
				continue
			}
			if p := query[i].penalty(o.word); p >= 0 && (best < 0 || p < best) {
				best, at = p, int(o.at)
			}
		}
		if best < 0 {
			return unmet
		}
		used |= 1 << at
		total += best * wordWeight
		if at < last {
			turned = 1
		}
		last = at
	}
	rest := (uint16(1)<<b.words - 1) &^ used
	total += otherWord*bits.OnesCount16(rest&^b.plain) + plainWord*bits.OnesCount16(rest&b.plain) + turned
	if b.alias >= 0 {
		total++
	}
	return total
}

// met is a street or a place that a query meets.
type met struct {
	doc, label int32
	score      int
}

// scratch is the memory of one search at a time: the best of each street and place.
type scratch struct {
	round []uint32
	now   uint32
	best  []int32 // in hits
	hits  []met
}

func newScratch(docs int) *scratch {
	return &scratch{round: make([]uint32, docs), best: make([]int32, docs)}
}

// find returns what all words of a query meet, each street and place once, and how many labels it looked at: no
// more than bound. keep may refuse some.
func (x *Index) find(query []wanted, bound int, keep func(doc int32) bool) (found []met, looked int) {
	if len(query) == 0 {
		return nil, 0
	}
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)
	if s.now++; s.now == 0 { // it went round
		clear(s.round)
		s.now = 1
	}
	s.hits = s.hits[:0]
	rarest := &query[0]
	for i := range query {
		if query[i].labels < rarest.labels {
			rarest = &query[i]
		}
	}
	x.each(rarest, func(l int32) bool {
		if looked == bound {
			return false
		}
		looked++
		doc := x.labels[l].doc
		if !keep(doc) {
			return true
		}
		score := x.score(l, query)
		if score < 0 {
			return true
		}
		switch {
		case s.round[doc] != s.now:
			s.round[doc], s.best[doc] = s.now, int32(len(s.hits))
			s.hits = append(s.hits, met{doc, l, score})
		case score < s.hits[s.best[doc]].score:
			s.hits[s.best[doc]] = met{doc, l, score}
		}
		return true
	})
	return slices.Clone(s.hits), looked
}
