package names

import (
	"hash/maphash"
	"slices"
	"sort"
	"unicode/utf8"
)

// leastMistaken is how many letters a word must have for a mistake in it to be looked for; a word in Hangul
// has two or three letters a syllable.
const (
	leastMistaken  = 3
	leastMistakenK = 4
	// maxWord bounds the letters of a word in which a mistake is looked for.
	maxWord = 40
)

// dict is all words of an index, sorted: a word's number is its rank, so that all words with a
// beginning have numbers that follow each other.
type dict struct {
	words   []string
	seed    maphash.Seed
	deleted []deletion // by hash
}

// deletion is a word without one of its letters.
type deletion struct {
	hash uint32
	word int32
}

// newDict makes a dictionary of sorted words without repetition.
func newDict(words []string) *dict {
	d := &dict{words: words, seed: maphash.MakeSeed()}
	for i, w := range words {
		if mistakable(w) {
			eachDeletion(w, func(short string) {
				d.deleted = append(d.deleted, deletion{d.hash(short), int32(i)})
			})
		}
	}
	slices.SortFunc(d.deleted, func(a, b deletion) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return int(a.word - b.word)
	})
	d.deleted = slices.Clip(slices.Compact(d.deleted))
	return d
}

func (d *dict) hash(s string) uint32 { return uint32(maphash.String(d.seed, s)) }

// mistakable reports whether a mistake in a word is forgiven.
func mistakable(w string) bool {
	n := utf8.RuneCountInString(w)
	first, _ := utf8.DecodeRuneInString(w)
	if isPlain(first) {
		return n >= leastMistakenK && n <= maxWord && !onlyConsonants(w)
	}
	if n < leastMistaken || n > maxWord {
		return false
	}
	for i := range len(w) {
		if w[i] >= '0' && w[i] <= '9' {
			return false
		}
	}
	return true
}

// eachDeletion calls fn with a word without each of its letters.
func eachDeletion(w string, fn func(short string)) {
	last := rune(-1)
	for i, r := range w {
		if r != last { // leaving out either of two equal letters gives the same
			fn(w[:i] + w[i+utf8.RuneLen(r):])
		}
		last = r
	}
}

// find returns the number of a word, -1 if there is none.
func (d *dict) find(w string) int32 {
	if i, ok := slices.BinarySearch(d.words, w); ok {
		return int32(i)
	}
	return -1
}

// beginning returns the numbers of the words that begin with w: lo ≤ number < hi.
func (d *dict) beginning(w string) (lo, hi int32) {
	i, _ := slices.BinarySearch(d.words, w)
	n := sort.Search(len(d.words)-i, func(k int) bool {
		word := d.words[i+k]
		return len(word) < len(w) || word[:len(w)] != w
	})
	return int32(i), int32(i + n)
}

// mistaken returns the words that are one mistake away from w, by rising number. If w is a mistake, either
// it is the word without a letter, or it has one letter more, or both without one letter are equal.
func (d *dict) mistaken(w string) (out []int32) {
	if !mistakable(w) {
		return nil
	}
	add := func(word int32) {
		if d.words[word] != w && oneAway(w, d.words[word]) {
			out = append(out, word)
		}
	}
	d.eachDeleted(w, add)
	eachDeletion(w, func(short string) {
		if i := d.find(short); i >= 0 && mistakable(short) {
			add(i)
		}
		d.eachDeleted(short, add)
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// eachDeleted calls fn for the words that may be w without one of their letters.
func (d *dict) eachDeleted(w string, fn func(word int32)) {
	h := d.hash(w)
	i := sort.Search(len(d.deleted), func(i int) bool { return d.deleted[i].hash >= h })
	for ; i < len(d.deleted) && d.deleted[i].hash == h; i++ {
		fn(d.deleted[i].word)
	}
}

// oneAway reports whether two words differ by one letter: wrong, missing, too many, or swapped with the next.
func oneAway(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) || slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}
