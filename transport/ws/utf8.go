package ws

import "unicode/utf8"

// utf8Stream checks text that arrives in pieces, cut anywhere, and fails at the
// first byte that no continuation could make valid.
type utf8Stream struct {
	// tail[:n] is the incomplete code point at the end of what was seen.
	tail [utf8.UTFMax]byte
	n    uint8
}

// write reports whether the text so far can still become valid UTF-8.
func (s *utf8Stream) write(p []byte) bool {
	for s.n > 0 && len(p) > 0 {
		s.tail[s.n] = p[0]
		s.n++
		p = p[1:]
		// FullRune is also true for a prefix that is already wrong.
		if !utf8.FullRune(s.tail[:s.n]) {
			continue
		}
		if r, size := utf8.DecodeRune(s.tail[:s.n]); r == utf8.RuneError && size == 1 {
			return false
		}
		s.n = 0
	}
	cut := incompleteTail(p)
	if !utf8.Valid(p[:cut]) {
		return false
	}
	s.n += uint8(copy(s.tail[s.n:], p[cut:]))
	return true
}

// complete reports whether no code point is left unfinished, and resets.
func (s *utf8Stream) complete() bool {
	done := s.n == 0
	s.n = 0
	return done
}

// incompleteTail returns where an unfinished code point at the end of p begins,
// or len(p).
func incompleteTail(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax+1; i-- {
		if utf8.RuneStart(p[i]) {
			if utf8.FullRune(p[i:]) {
				return len(p)
			}
			return i
		}
	}
	return len(p)
}
