package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a folded word.
type token struct {
	text     string
	forms    []string // what it may be short for
	initials string   // of a word in Hangul
	number   bool     // has a digit: it must be met exactly
	hangul   bool
}

// maxTokens bounds a name's and a query's words. What comes behind them is not looked at.
const maxTokens = 16

// letters are those that Unicode does not take apart, and signs that are no letters but would become
// some.
var letters = strings.NewReplacer(
	"ß", "ss", "ẞ", "ss", "æ", "ae", "Æ", "ae", "ø", "o", "Ø", "o", "œ", "oe", "Œ", "oe", "đ", "d", "Đ", "d", "ð", "d", "Ð", "d",
	"þ", "th", "Þ", "th", "ł", "l", "Ł", "l", "ı", "i", "İ", "i", "º", "", "ª", "", "°", "", "№", "",
)

// fold cuts a text into words and makes them comparable.
func fold(s string) []token {
	f := folder{}
	for _, r := range norm.NFKD.String(letters.Replace(s)) {
		if f.done() {
			break
		}
		f.add(r)
	}
	f.end()
	return f.out
}

// class is what a letter is written in; a word ends where it changes between digits and scripts that
// use no blanks.
type class uint8

const (
	none class = iota
	digit
	alphabet
	hangul
	ideograph
)

// folder cuts a text into words.
type folder struct {
	out      []token
	word     []byte
	initials []byte
	runes    int
	last     class
	base     rune // the letter that a mark belongs to
	number   bool
	dot      bool // a dot came behind a single letter: F.D.R. is one word
}

func (f *folder) done() bool { return len(f.out) >= maxTokens }

func (f *folder) add(r rune) {
	switch {
	case unicode.Is(unicode.Mn, r):
		if !unicode.In(f.base, unicode.Latin, unicode.Greek, unicode.Cyrillic) && len(f.word) > 0 {
			f.word = utf8.AppendRune(f.word, r) // other scripts spell with marks
		}
		return
	case r == '\'' || r == '’' || r == 'ʼ' || r == '`' || r == '‘':
		return // Macy's is found by macys
	case r == '.' && f.runes == 1 && f.last == alphabet:
		f.dot = true
		return
	}
	c := classOf(r)
	if c == none {
		f.end()
		return
	}
	if f.dot {
		// F.D.R. is one word, W.42nd two.
		if c != alphabet {
			f.end()
		}
		f.dot, f.runes = false, 0
	}
	if f.last != none && c != f.last && (splits(c) || splits(f.last)) {
		f.end()
	}
	f.append(r, c)
}

// splits reports whether a word in a script ends where another begins.
func splits(c class) bool { return c == hangul || c == ideograph }

func (f *folder) append(r rune, c class) {
	f.last, f.base = c, r
	f.runes++
	switch {
	case c == hangul:
		if isLead(r) {
			f.initials = append(f.initials, jamo(r)...)
		}
		f.word = append(f.word, jamo(r)...)
	default:
		f.number = f.number || c == digit
		f.word = utf8.AppendRune(f.word, unicode.ToLower(r))
	}
}

func classOf(r rune) class {
	switch {
	case unicode.IsDigit(r):
		return digit
	case jamo(r) != "":
		return hangul
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return ideograph
	case unicode.IsLetter(r) || unicode.Is(unicode.Mc, r):
		return alphabet
	}
	return none
}

// end ends a word.
func (f *folder) end() {
	if len(f.word) > 0 && !f.done() {
		t := token{text: string(f.word), number: f.number, hangul: f.last == hangul}
		if t.number {
			t.text = cardinal(t.text)
		}
		t.forms = formsOf(t.text)
		if t.hangul && string(f.initials) != t.text {
			t.initials = string(f.initials)
		}
		f.out = append(f.out, t)
	}
	f.word, f.initials, f.runes, f.last, f.base, f.number, f.dot = f.word[:0], f.initials[:0], 0, none, 0, false, false
}

// cardinal takes the ending of an ordinal off: 42nd is 42.
func cardinal(w string) string {
	n := strings.TrimRight(w, "abcdefghijklmnopqrstuvwxyz")
	switch w[len(n):] {
	case "st", "nd", "rd", "th", "er", "re", "eme":
		if n != "" {
			return n
		}
	}
	return w
}

// formsOf returns what a word may be short for.
func formsOf(w string) []string {
	if full, ok := fullForms[w]; ok {
		return full
	}
	if stem, ok := strings.CutSuffix(w, "str"); ok && len(stem) > 2 {
		return []string{stem + "strasse", stem + "straat"}
	}
	return nil
}

// joined returns the words with those in Hangul that follow each other joined, since blanks are optional
// there; ok is false if there are none.
func joined(words []token) (out []token, ok bool) {
	for _, t := range words {
		if n := len(out); n > 0 && t.hangul && out[n-1].hangul {
			before := &out[n-1]
			before.text += t.text
			before.initials = initialsOf(*before) + initialsOf(t)
			before.forms, ok = nil, true
			if before.initials == before.text {
				before.initials = ""
			}
			continue
		}
		out = append(out, t)
	}
	return out, ok
}

// initialsOf are a word's initials; typed initials are their own.
func initialsOf(t token) string {
	if t.initials == "" {
		return t.text
	}
	return t.initials
}
