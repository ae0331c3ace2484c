package auth

import (
	"strings"
	"unicode"

	"github.com/hexhail/hexhail/ride"
)

// TidyUsername removes the invisible characters that keyboards, clipboards and forms put around a
// username: Unicode's spaces and line ends, and characters without width. What is inside stays, and
// CheckUsername refuses it.
func TidyUsername(u string) string { return TidyEnds(u) }

// TidyEnds takes the same away around any text of one line, such as a name or a plate.
func TidyEnds(s string) string { return strings.TrimFunc(s, unseen) }

func unseen(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0', '\u034f', '\u17b4', '\u17b5': // fillers, a blank of Braille, joiners
		return true
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Z, unicode.Cf, unicode.Variation_Selector)
}

// CheckUsername says whether a username may be chosen: 3 to 32 of a-z, A-Z, 0-9, dot,
// underscore and hyphen. It returns ride.ErrInvalidArgument.
func CheckUsername(u string) error {
	ok := len(u) >= 3 && len(u) <= 32
	for i := 0; ok && i < len(u); i++ {
		ok = usernameByte(u[i])
	}
	if !ok {
		return ride.ErrInvalidArgument.In("username").With("A username has 3 to 32 letters a-z, digits, dots, underscores or hyphens.")
	}
	return nil
}

func usernameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0
}
