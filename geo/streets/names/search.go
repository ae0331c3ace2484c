package names

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hexhail/hexhail/geo"
)

// The bounds of one search: what it costs does not grow with the map beyond them.
const (
	// maxLooked bounds how many labels are compared with a query; half of them are for its separators.
	maxLooked = 40_000
	// maxMeetings bounds how many meetings of its streets are looked at.
	maxMeetings = 10_000
)

// Search finds what a query names. A query without letters and numbers finds nothing. On a large map, what a
// search looks at is bounded, so words that tens of thousands of streets have find only some of them. The error
// wraps ErrTooLong or the context's, or geo's for a point that is not on the Earth.
func (x *Index) Search(ctx context.Context, q Query) (Answer, error) {
	if utf8.RuneCountInString(q.Text) > MaxQuery {
		return Answer{}, ErrTooLong
	}
	s := search{ctx: ctx, x: x, q: q, meetings: maxMeetings}
	if q.Near != nil {
		if err := q.Near.Validate(); err != nil {
			return Answer{}, fmt.Errorf("search near: %w", err)
		}
		near := flatAt(*q.Near)
		s.near = &near
	}
	if s.q.Limit <= 0 || s.q.Limit > MaxHits {
		s.q.Limit = MaxHits
	}
	out := s.run()
	if err := ctx.Err(); err != nil {
		return Answer{}, fmt.Errorf("search: %w", err)
	}
	return out, nil
}

// search is one search.
type search struct {
	ctx              context.Context
	x                *Index
	q                Query
	near             *flat
	labels, meetings int // that may still be looked at
	top              []ranked
	apart            *[2]met // two streets that do not meet
	apartS           int     // how badly they match
}

// find returns what all words of a query meet. It looks at no more than half of the labels that are left, so that
// other parts of the query get theirs.
func (s *search) find(query []wanted, bound int, keep func(doc int32) bool) []met {
	if s.ctx.Err() != nil {
		return nil
	}
	found, looked := s.x.find(query, min(bound, s.labels/2), keep)
	s.labels -= looked
	return found
}

// ranked is a hit with what it is ranked by.
type ranked struct {
	kind  Kind
	score int
	farM  float64
	one   met // the street, the place or the street of the house
	two   met // the crossing street
	house house
	at    geo.Point
}

func (s *search) run() Answer {
	text := trimmed(s.q.Text)
	words := fold(text)
	if len(words) == 0 {
		return Answer{}
	}
	marks := marked(text)
	s.labels = maxLooked / 2
	s.marked(marks)
	s.labels += maxLooked / 2
	crossed := len(s.top) > 0
	s.whole(words)
	if !crossed && !(len(s.top) > 0 && s.top[0].score < wordWeight) {
		s.anywhere(words)
	}
	// Where nothing matches, a part of the query may.
	if len(s.top) == 0 && s.apart == nil {
		s.part(marks, words)
	}
	return s.answer()
}

// marked adds the crossings at the separators of a query.
func (s *search) marked(marks []sides) {
	for _, m := range marks {
		a, b := s.streets(fold(m.left), false), s.streets(fold(m.right), true)
		found := s.crossings(a, b)
		for _, c := range found {
			s.addCrossing(c, 0)
		}
		if len(found) == 0 && m.sure {
			s.setApart(a, b)
		}
	}
}

// whole adds the streets, places and houses that have all words of a query.
func (s *search) whole(words []token) {
	keep := func(doc int32) bool { return s.x.isStreet(doc) || s.x.isPlace(doc) }
	for _, variant := range s.variants(words, true) {
		for _, m := range s.find(variant, maxLooked, keep) {
			s.addName(m)
		}
	}
	s.houses(words)
}

// variants are the words of a query, and those with blanks left out where they are optional.
func (s *search) variants(words []token, ends bool) [][]wanted {
	out := [][]wanted{s.wanted(words, ends)}
	if one, ok := joined(words); ok {
		out = append(out, s.wanted(one, ends))
	}
	return out
}

// wanted looks words up; ends says that the query ends with them, so that the last may go on.
func (s *search) wanted(words []token, ends bool) []wanted {
	out := make([]wanted, len(words))
	for i, t := range words {
		out[i] = s.x.want(t, ends && i == len(words)-1)
	}
	return out
}

// streets returns the streets that have all words.
func (s *search) streets(words []token, ends bool) (out []met) {
	for _, v := range s.variants(words, ends) {
		out = append(out, s.find(v, maxLooked, s.x.isStreet)...)
	}
	return unique(out)
}

// unique keeps the best of each street.
func unique(list []met) []met {
	slices.SortFunc(list, func(a, b met) int {
		return cmp.Or(cmp.Compare(a.doc, b.doc), cmp.Compare(a.score, b.score), cmp.Compare(a.label, b.label))
	})
	return slices.CompactFunc(list, func(a, b met) bool { return a.doc == b.doc })
}

// anywhere adds the crossings that a query names without a separator: it tries every cut of its words.
func (s *search) anywhere(words []token) {
	n := len(words)
	if n < 2 || n > maxCuts {
		return
	}
	all := s.wanted(words, true)
	optional := slices.ContainsFunc(words, func(t token) bool { return t.hangul })
	span := func(i, j int) []met {
		if !slices.ContainsFunc(all[i:j], func(w wanted) bool { return w.specific }) {
			return nil
		}
		list := s.find(all[i:j], maxCut, s.x.isStreet)
		if one, ok := joined(words[i:j]); ok && optional {
			list = append(list, s.find(s.wanted(one, j == n), maxCut, s.x.isStreet)...)
		}
		return unique(list)
	}
	for cut := 1; cut < n; cut++ {
		a := span(0, cut)
		if len(a) == 0 {
			continue
		}
		b := span(cut, n)
		found := s.crossings(a, b)
		for _, c := range found {
			s.addCrossing(c, cutAnywhere)
		}
		if len(found) == 0 {
			s.setApart(a, b)
		}
	}
}

// setApart notes the two streets that a query means, if they are better than those noted before.
func (s *search) setApart(a, b []met) {
	if len(a) == 0 || len(b) == 0 || s.meetings < 0 { // not all meetings were looked at
		return
	}
	p, q := s.best(a), s.best(b)
	if p.doc == q.doc {
		return
	}
	if total := p.score + q.score; s.apart == nil || total < s.apartS {
		s.apart, s.apartS = &[2]met{p, q}, total
	}
}

// best returns the best of some streets.
func (s *search) best(list []met) met {
	out, far := list[0], s.farM(list[0].doc)
	for _, m := range list[1:] {
		if m.score > out.score {
			continue
		}
		if f := s.farM(m.doc); m.score < out.score || f < far || f == far && m.doc < out.doc {
			out, far = m, f
		}
	}
	return out
}

// part adds what a part of a query names: what stands before its comma, or the street without the number
// that is not known.
func (s *search) part(marks []sides, words []token) {
	for _, m := range marks {
		if m.sure {
			continue
		}
		left := fold(m.left)
		if s.whole(left); len(s.top) == 0 {
			s.withoutNumber(left)
		}
		if len(s.top) > 0 {
			return
		}
	}
	s.withoutNumber(words)
}

// withoutNumber adds the streets of a query whose house number is not known.
func (s *search) withoutNumber(words []token) {
	eachNumber(words, func(_ string, rest []token) {
		for _, m := range s.streets(rest, false) {
			s.addName(m)
		}
	})
}

// eachNumber calls fn for each number at the beginning or the end of a query that may be that of a house,
// folded, with the words beside it.
func eachNumber(words []token, fn func(number string, rest []token)) {
	for k := 1; k <= 2 && k < len(words); k++ {
		if numeric(words[:k]) && tells(words[k:]) {
			fn(keyOf(words[:k]), words[k:])
		}
		if end := len(words) - k; numeric(words[end:]) && tells(words[:end]) {
			fn(keyOf(words[end:]), words[:end])
		}
	}
}

// tells reports whether words tell which street is meant.
func tells(words []token) bool {
	return slices.ContainsFunc(words, func(t token) bool { return t.number || !isGeneric(t) })
}

func numeric(words []token) bool {
	return !slices.ContainsFunc(words, func(t token) bool { return !t.number })
}

// maxHouseStreets bounds in how many streets a number is looked for.
const maxHouseStreets = 64

// houses adds the addresses that a query names.
func (s *search) houses(words []token) {
	if len(s.x.houses.all) == 0 {
		return
	}
	eachNumber(words, func(number string, rest []token) {
		var streets []met
		for _, v := range s.variants(rest, false) {
			streets = append(streets, s.find(v, maxCut, func(doc int32) bool { return !s.x.isPlace(doc) })...)
		}
		streets = unique(streets)
		slices.SortStableFunc(streets, func(a, b met) int { return a.score - b.score })
		for _, m := range streets[:min(len(streets), maxHouseStreets)] {
			for _, h := range s.x.houses.numbered(m.doc, number) {
				s.add(ranked{kind: Address, score: m.score, one: m, house: h, at: h.at()})
			}
		}
	})
}

// hopeless reports whether nothing that matches so badly is kept.
func (s *search) hopeless(score int) bool {
	n := len(s.top)
	return n >= s.q.Limit && s.top[n-1].score < score
}

func (s *search) addName(m met) {
	if s.hopeless(m.score) {
		return
	}
	r := ranked{score: m.score, one: m, at: s.x.middle(m.doc), farM: s.farM(m.doc)}
	if s.x.isPlace(m.doc) {
		r.kind = s.x.in.Places[int(m.doc)-len(s.x.in.Streets)].Kind
	}
	s.add(r)
}

func (s *search) addCrossing(c crossing, worse int) {
	r := ranked{kind: Crossing, score: c.score + worse, one: c.a, two: c.b}
	if s.hopeless(r.score) {
		return
	}
	for _, at := range middles(s.x.meet.between(c.a.doc, c.b.doc)) {
		r.at = at
		s.add(r)
	}
}

func (s *search) farM(doc int32) float64 {
	if s.near == nil {
		return 0
	}
	return s.x.farM(doc, *s.near)
}

// add keeps a hit if it is one of the best.
func (s *search) add(r ranked) {
	if s.near != nil && r.farM == 0 {
		r.farM = s.near.toM(r.at)
		if r.kind == Street {
			r.farM = s.farM(r.one.doc)
		}
	}
	if slices.ContainsFunc(s.top, func(o ranked) bool {
		return o.kind == r.kind && o.one.doc == r.one.doc && o.two.doc == r.two.doc && o.at == r.at && o.house.number == r.house.number
	}) {
		return
	}
	i, _ := slices.BinarySearchFunc(s.top, r, s.compare)
	if i >= s.q.Limit {
		return
	}
	if len(s.top) == s.q.Limit {
		s.top = s.top[:len(s.top)-1]
	}
	s.top = slices.Insert(s.top, i, r)
}

// compare ranks hits: by how well they match, then by nearness.
func (s *search) compare(a, b ranked) int {
	return cmp.Or(
		cmp.Compare(a.score, b.score), cmp.Compare(a.farM, b.farM), cmp.Compare(a.kind, b.kind),
		cmp.Compare(a.one.doc, b.one.doc), cmp.Compare(a.two.doc, b.two.doc), cmp.Compare(a.at.Lat, b.at.Lat), cmp.Compare(a.at.Lng, b.at.Lng),
	)
}

// answer makes the answer. Streets that do not meet are said to be apart if nothing matches better.
func (s *search) answer() Answer {
	var out Answer
	if s.apart != nil && (len(s.top) == 0 || s.apartS+wordWeight < s.top[0].score) {
		out.Apart = [2]string{s.x.called(s.apart[0].doc, s.q.Lang), s.x.called(s.apart[1].doc, s.q.Lang)}
		s.top = s.top[:0]
		for _, m := range s.apart {
			r := ranked{one: m, score: m.score, at: s.x.middle(m.doc)}
			out.Hits = append(out.Hits, s.hit(r))
		}
		return out
	}
	out.Hits = make([]Hit, len(s.top))
	for i, r := range s.top {
		out.Hits[i] = s.hit(r)
	}
	return out
}

func (s *search) hit(r ranked) Hit {
	x := s.x
	h := Hit{Kind: r.kind, At: r.at, District: x.district(r.at, s.q.Lang)}
	name := x.called(r.one.doc, s.q.Lang)
	switch {
	case r.kind == Street:
		h.Name, h.Street = name, name
	case r.kind == Crossing:
		h.Street, h.Cross = name, x.called(r.two.doc, s.q.Lang)
		h.Name = h.Street + " & " + h.Cross
	case r.kind == Address:
		h.Street, h.Number = name, x.houses.numbers[r.house.number]
	default:
		h.Name = name
	}
	if alias := x.labels[r.one.label].alias; alias >= 0 && r.kind != Crossing {
		if _, aliases := x.nameOf(r.one.doc); !strings.EqualFold(aliases[alias].Text, name) {
			h.Also = aliases[alias].Text
		}
	}
	return h
}
