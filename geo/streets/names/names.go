// Package names finds streets, crossings, addresses and places by what people type, and names the address at
// a point. It knows nothing of graphs or files: New makes an Index of names and points, in memory.
//
// Names and queries are folded alike (fold): case, accents, abbreviations, ordinals and the letters of
// Hangul make no difference. A word of a query meets a word of a name if they are equal, if it is its
// beginning, or if one letter is wrong, missing, too many or swapped with the next. Mistakes are found
// without looking at all words: the index holds every word without each of its letters, as
// W. Garbe's SymSpell does (https://github.com/wolfgarbe/SymSpell), for one mistake.
package names

import (
	"fmt"
	"iter"

	"github.com/hexhail/hexhail/geo"
)

// MaxQuery is how many characters a query may have.
const MaxQuery = 120

// ErrTooLong means that a query has more than MaxQuery characters.
var ErrTooLong = fmt.Errorf("a search has at most %d characters", MaxQuery)

// Kind is what a name stands for.
type Kind uint8

// The kinds. Files hold these numbers: new ones go to the end.
const (
	Street Kind = iota
	Crossing
	Address
	Town     // cities, towns, villages
	District // suburbs, quarters, hamlets
	Station  // trains, buses, ferries
	Airport
	Hospital
	University
	Hotel
	Sight // museums, monuments, attractions
	Park
	Venue // theatres, stadiums, halls
	Office
	Mall
	kinds // their number
)

var kindNames = [kinds]string{
	"street", "crossing", "address", "town", "district", "station", "airport", "hospital", "university", "hotel", "sight",
	"park", "venue", "office", "mall",
}

// String returns the kind's name in answers.
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return kindNames[k]
}

// IsPlace reports whether the kind is a place: neither a street, nor a crossing, nor an address.
func (k Kind) IsPlace() bool { return k > Address && k < kinds }

// Alias is another name of something.
type Alias struct {
	Lang string // the language that it is in, such as "en"; "" if unknown
	Text string
}

// StreetName is a street to be found. Streets of one name that lie apart are several.
type StreetName struct {
	Name    string
	Aliases []Alias
	Middle  geo.Point // a point on it, about its middle
	South   geo.Point // the southern and western border of it all
	North   geo.Point // the northern and eastern one
}

// Meeting is where two streets meet, by their numbers in Input.Streets.
type Meeting struct {
	A, B int32
	At   geo.Point
}

// Place is something with a name that is not a street.
type Place struct {
	Kind    Kind
	Name    string
	Aliases []Alias
	At      geo.Point
}

// House is an address: a number in a street.
type House struct {
	Number, Street string
	At             geo.Point
}

// Input is what an index is made of.
type Input struct {
	Streets  []StreetName
	Meetings []Meeting
	Places   []Place
	Houses   iter.Seq[House] // may be nil
}

// Query is what to find.
type Query struct {
	Text  string
	Near  *geo.Point // what to be near, among names that match alike; may be nil, else it must be valid
	Limit int        // at most MaxHits; 0 or less: MaxHits
	Lang  string     // the language to name things in, such as "en"; "": the local one
}

// MaxHits bounds an answer.
const MaxHits = 20

// Answer is what was found, the best first.
type Answer struct {
	Hits []Hit
	// Apart are two streets that the query names and that do not meet; Hits has both. Otherwise both are
	// empty.
	Apart [2]string
}

// Hit is something that was found, or that lies at a point.
type Hit struct {
	Kind     Kind
	Name     string // of the street or place; of a crossing, both joined by " & "; "" for an address
	Also     string // the other name by which it was found, "" if it was Name
	Street   string // of a street, a crossing or an address
	Cross    string // of a crossing: the other street
	Number   string // of an address
	District string // the settlement or the part of town that it is in, "" if unknown
	At       geo.Point
}
