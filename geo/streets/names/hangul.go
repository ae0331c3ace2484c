package names

import "strings"

// Hangul is compared by letters, so that half a syllable is a beginning and a wrong vowel one mistake.
// Typing a letter that opens a syllable shows it as the end of the one before, or as half of a double
// letter (테헤 + ㄹ = 테헬): all letters are therefore folded to the plain ones of keyboards.

// The letters of syllables, in the order of Unicode: first consonants, vowels, last consonants.
var (
	leads  = strings.Fields("ㄱ ㄲ ㄴ ㄷ ㄸ ㄹ ㅁ ㅂ ㅃ ㅅ ㅆ ㅇ ㅈ ㅉ ㅊ ㅋ ㅌ ㅍ ㅎ")
	vowels = strings.Fields("ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ")
	tails  = strings.Fields("ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ")
)

// The first code points of the letters that NFKD gives.
const (
	firstLead  = 0x1100
	firstVowel = 0x1161
	firstTail  = 0x11a8
)

// jamo returns the plain letters of one of Unicode's, "" if it is no letter of Hangul.
func jamo(r rune) string {
	for _, t := range []struct {
		first   rune
		letters []string
	}{{firstLead, leads}, {firstVowel, vowels}, {firstTail, tails}} {
		if i := int(r - t.first); i >= 0 && i < len(t.letters) {
			return t.letters[i]
		}
	}
	return ""
}

// isLead reports whether a rune of NFKD opens a syllable.
func isLead(r rune) bool { return r >= firstLead && r < firstLead+rune(len(leads)) }

// isPlain reports whether a rune is a folded letter of Hangul; isConsonant, one of its consonants.
func isPlain(r rune) bool     { return r >= 'ㄱ' && r <= 'ㅣ' }
func isConsonant(r rune) bool { return r >= 'ㄱ' && r <= 'ㅎ' }

// onlyConsonants reports whether a folded word can be initials, such as ㅌㅎㄹㄹ for 테헤란로. No name is
// spelt like that.
func onlyConsonants(w string) bool {
	for _, r := range w {
		if !isConsonant(r) {
			return false
		}
	}
	return w != ""
}

// particles join two streets: 테헤란로와 강남대로, 삼성로랑 봉은사로. The first is written behind a vowel, the
// second behind a consonant.
func cutParticle(word string) (string, bool) {
	for _, p := range []string{"이랑", "하고", "와", "과", "랑"} {
		if w, ok := strings.CutSuffix(word, p); ok && endsHangul(w) {
			return w, true
		}
	}
	return word, false
}

// endsHangul reports whether a word of at least two syllables remains.
func endsHangul(w string) bool {
	n := 0
	last := rune(0)
	for _, r := range w {
		n, last = n+1, r
	}
	return n >= 2 && last >= 0xac00 && last <= 0xd7a3
}
