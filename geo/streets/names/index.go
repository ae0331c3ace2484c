package names

import (
	"slices"
	"strings"
	"sync"

	"github.com/hexhail/hexhail/geo"
)

// The bounds of an index. What is beyond them is left out.
const (
	maxAliases = 24        // of one street or place
	maxLabels  = 4_000_000 // of all
)

// Index finds names. It is immutable: any goroutine may use it at any time.
type Index struct {
	in      Input // without houses
	docs    int   // streets, then places, then streets that only houses have
	hidden  []StreetName
	labels  []label
	occurs  []occurrence // of each label
	dict    *dict
	first   []int32 // labels with word w are found[first[w]:first[w+1]]
	found   []int32
	meet    meetings
	houses  houses
	towns   towns
	scratch *sync.Pool
}

// label is one folded name of a street or a place.
type label struct {
	doc   int32
	alias int32 // its number among the aliases, -1: the name
	first int32 // its words are occurs[first : first of the next label]
	words uint8
	plain uint16 // bit i: word i is generic
}

// occurrence is a form of a word of a label.
type occurrence struct {
	word int32
	at   uint8 // which word of the label
}

// New makes an index. It keeps what it is given, which must not change. docs/streets.md says how long that
// takes.
func New(in Input) *Index {
	x := &Index{in: in}
	houses := in.Houses
	x.in.Houses = nil
	b := builder{x: x, word: map[string]int32{}}
	for i := range in.Streets {
		b.add(int32(i), in.Streets[i].Name, in.Streets[i].Aliases)
	}
	for i := range in.Places {
		b.add(int32(len(in.Streets)+i), in.Places[i].Name, in.Places[i].Aliases)
	}
	x.towns = newTowns(in.Places)
	if houses != nil {
		b.addHouses(houses)
	}
	x.docs = len(in.Streets) + len(in.Places) + len(x.hidden)
	b.finish()
	x.meet = newMeetings(in.Meetings, len(in.Streets))
	x.in.Meetings = nil
	x.scratch = &sync.Pool{New: func() any { return newScratch(x.docs) }}
	return x
}

// builder collects the labels of an index.
type builder struct {
	x    *Index
	word map[string]int32 // numbers in the order of appearance
}

// add adds the labels of a street or place.
func (b *builder) add(doc int32, name string, aliases []Alias) {
	seen := map[string]bool{}
	b.addText(doc, -1, name, seen)
	for i, a := range aliases[:min(len(aliases), maxAliases)] {
		b.addText(doc, int32(i), a.Text, seen)
	}
}

// addText adds a name, once in each way of folding it.
func (b *builder) addText(doc, alias int32, text string, seen map[string]bool) {
	words := fold(text)
	b.addWords(doc, alias, words, seen)
	if one, ok := joined(words); ok {
		b.addWords(doc, alias, one, seen)
	}
}

func (b *builder) addWords(doc, alias int32, words []token, seen map[string]bool) {
	key := keyOf(words)
	if len(words) == 0 || seen[key] || len(b.x.labels) >= maxLabels {
		return
	}
	seen[key] = true
	l := label{doc: doc, alias: alias, first: int32(len(b.x.occurs)), words: uint8(len(words))}
	for i, t := range words {
		if isGeneric(t) {
			l.plain |= 1 << i
		}
		b.occur(t.text, i)
		for _, f := range t.forms {
			b.occur(f, i)
		}
		if t.initials != "" {
			b.occur(t.initials, i)
		}
	}
	b.x.labels = append(b.x.labels, l)
}

func (b *builder) occur(word string, at int) {
	n, ok := b.word[word]
	if !ok {
		n = int32(len(b.word))
		b.word[word] = n
	}
	b.x.occurs = append(b.x.occurs, occurrence{n, uint8(at)})
}

// keyOf is equal for texts that fold alike.
func keyOf(words []token) string {
	var s strings.Builder
	for i, t := range words {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(t.text)
	}
	return s.String()
}

// finish numbers the words by rank and lists the labels of each.
func (b *builder) finish() {
	x := b.x
	words := make([]string, 0, len(b.word))
	for w := range b.word {
		words = append(words, w)
	}
	slices.Sort(words)
	rank := make([]int32, len(words))
	for i, w := range words {
		rank[b.word[w]] = int32(i)
	}
	b.word = nil
	x.dict = newDict(words)
	x.first = make([]int32, len(words)+1)
	for i := range x.occurs {
		x.occurs[i].word = rank[x.occurs[i].word]
		x.first[x.occurs[i].word+1]++
	}
	for w := range words {
		x.first[w+1] += x.first[w]
	}
	x.found = make([]int32, len(x.occurs))
	next := slices.Clone(x.first)
	for i := range x.labels {
		for _, o := range x.occursOf(int32(i)) {
			x.found[next[o.word]] = int32(i)
			next[o.word]++
		}
	}
	x.labels, x.occurs = slices.Clip(x.labels), slices.Clip(x.occurs)
}

func (x *Index) occursOf(l int32) []occurrence {
	if int(l)+1 < len(x.labels) {
		return x.occurs[x.labels[l].first:x.labels[l+1].first]
	}
	return x.occurs[x.labels[l].first:]
}

// isStreet reports whether something can be found as a street; the others are places and streets of
// houses alone.
func (x *Index) isStreet(doc int32) bool { return int(doc) < len(x.in.Streets) }

func (x *Index) isPlace(doc int32) bool {
	return !x.isStreet(doc) && int(doc) < len(x.in.Streets)+len(x.in.Places)
}

// nameOf returns the names of a street or place.
func (x *Index) nameOf(doc int32) (string, []Alias) {
	n := int(doc)
	switch {
	case x.isStreet(doc):
		return x.in.Streets[n].Name, x.in.Streets[n].Aliases
	case x.isPlace(doc):
		p := &x.in.Places[n-len(x.in.Streets)]
		return p.Name, p.Aliases
	}
	return x.hidden[n-len(x.in.Streets)-len(x.in.Places)].Name, nil
}

// called is the name of a street or place in a language.
func (x *Index) called(doc int32, lang string) string {
	name, aliases := x.nameOf(doc)
	if lang == "" {
		return name
	}
	for _, a := range aliases {
		if a.Lang == lang {
			return a.Text
		}
	}
	return name
}

// middle is the point that stands for a street or place.
func (x *Index) middle(doc int32) geo.Point {
	n := int(doc)
	switch {
	case x.isStreet(doc):
		return x.in.Streets[n].Middle
	case x.isPlace(doc):
		return x.in.Places[n-len(x.in.Streets)].At
	}
	return x.hidden[n-len(x.in.Streets)-len(x.in.Places)].Middle
}

// farM is how far away a street or place is in metres, about: that of the nearest point of its box.
func (x *Index) farM(doc int32, from flat) float64 {
	if x.isStreet(doc) {
		s := &x.in.Streets[doc]
		return from.toM(geo.Point{
			Lat: min(max(from.at.Lat, s.South.Lat), s.North.Lat),
			Lng: min(max(from.at.Lng, s.South.Lng), s.North.Lng),
		})
	}
	return from.toM(x.middle(doc))
}
