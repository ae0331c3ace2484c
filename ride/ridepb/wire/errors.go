package wire

import (
	"errors"
	"strconv"
	"strings"
)

// Every DecodeError is one of these two.
var (
	// ErrMalformed: the bytes are not a message of the protocol.
	ErrMalformed = errors.New("malformed message")
	// ErrInvalidValue: the message is well formed, but a field's value is not
	// one that the field can have.
	ErrInvalidValue = errors.New("invalid value")
)

// Reason is a stable word for what is wrong with a message.
type Reason string

// The reasons. Those of a value are ErrInvalidValue, all others ErrMalformed.
const (
	ReasonTooLarge      Reason = "too_large"
	ReasonTooDeep       Reason = "too_deep"
	ReasonSyntax        Reason = "syntax"
	ReasonNotUTF8       Reason = "not_utf8"
	ReasonTrailingData  Reason = "trailing_data"
	ReasonDuplicate     Reason = "duplicate_field"
	ReasonUnknownField  Reason = "unknown_field"
	ReasonWrongType     Reason = "wrong_type"
	ReasonSeveralBodies Reason = "several_bodies"
	ReasonNoBody        Reason = "no_body"

	ReasonOutOfRange      Reason = "out_of_range"
	ReasonNUL             Reason = "nul_in_text"
	ReasonIncompletePoint Reason = "incomplete_point"
	ReasonBadTime         Reason = "bad_time"
	ReasonUnknownWord     Reason = "unknown_word"
)

var sentences = map[Reason]string{
	ReasonTooLarge:        "the message is too large",
	ReasonTooDeep:         "the message is nested too deeply",
	ReasonSyntax:          "the bytes are not of the agreed encoding",
	ReasonNotUTF8:         "text is not valid UTF-8",
	ReasonTrailingData:    "something follows the message",
	ReasonDuplicate:       "a field appears twice%s",
	ReasonUnknownField:    "a field is not known%s; names are in lower snake case",
	ReasonWrongType:       "a field has a value of another type",
	ReasonSeveralBodies:   "only one of these fields may be present",
	ReasonNoBody:          "the frame has no known body",
	ReasonOutOfRange:      "a number is out of range",
	ReasonNUL:             "text contains a NUL",
	ReasonIncompletePoint: "a point needs both lat and lng",
	ReasonBadTime:         "a time is not RFC 3339, or not between the years 1 and 9999",
	ReasonUnknownWord:     "a word is not one of the known ones",
}

// DecodeError says what is wrong with a message. It holds nothing of the
// message but the names of fields and the frame's id, so it may be sent back.
type DecodeError struct {
	// ID is the client frame's id, if one of at most 64 bytes could be read in
	// spite of the error.
	ID string
	// Field is the path of the field at fault, such as "request_trip.pickup",
	// as far as it is known: of an unknown or repeated field that of its parent.
	Field string
	// Name is an unknown or repeated field's name as the message has it, its number in
	// protobuf. Empty for one that does not look like a name.
	Name string
	// Reason is stable.
	Reason Reason
}

// Error returns a sentence for a developer.
func (e *DecodeError) Error() string {
	s, ok := sentences[e.Reason]
	if !ok {
		s = string(e.Reason)
	}
	if strings.Contains(s, "%s") {
		name := ""
		if e.Name != "" {
			name = ": " + e.Name
		}
		s = strings.Replace(s, "%s", name, 1)
	}
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	return s
}

// Unwrap returns ErrMalformed or ErrInvalidValue.
func (e *DecodeError) Unwrap() error {
	switch e.Reason {
	case ReasonOutOfRange, ReasonNUL, ReasonIncompletePoint, ReasonBadTime, ReasonUnknownWord:
		return ErrInvalidValue
	default:
		return ErrMalformed
	}
}

// maxName is the longest name that an error repeats, in bytes.
const maxName = 64

// nameOf returns what a client took for the name of a field, or "" for what does not look
// like one: an error does not carry arbitrary text.
func nameOf(text []byte) string {
	if len(text) == 0 || len(text) > maxName {
		return ""
	}
	for _, c := range text {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '_' && c != '-' && c != '.' {
			return ""
		}
	}
	return string(text)
}

// maxID is the longest id that a frame may have, in bytes.
const maxID = 64

// usableID returns the id if an error may carry it.
func usableID(id string) string {
	if len(id) > maxID || strings.IndexByte(id, 0) >= 0 {
		return ""
	}
	return id
}

// path is where a decoder is in the message.
type path []step

type step struct {
	name  string
	index int // in a list, or -1
}

func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	return b.String()
}
