// Package pbf reads OpenStreetMap's PBF files: nodes, ways and relations with their tags, in the
// order of the file. It reads a stream once and keeps nothing; a reader that needs ways before
// nodes reads the file twice.
//
// The format is described at https://wiki.openstreetmap.org/wiki/PBF_Format. Every size that a
// file claims is checked before memory is taken for it, so a hostile file costs at most what the
// Max constants say.
package pbf

import (
	"errors"
	"time"
)

// The bounds of a file. The first three are those of the format; real files stay far below.
const (
	MaxBlobHeader = 64 << 10 // bytes of the header before a blob
	MaxBlob       = 32 << 20 // bytes of a blob, packed and unpacked
	MaxWayNodes   = 2000     // nodes of one way
	MaxMembers    = 32_000   // members of one relation
	MaxTags       = 4096     // tags of one object
)

// What can be wrong with a file. Errors of Read wrap one of these, the reader's own error, or the
// handler's.
var (
	// ErrNotPBF means that the file is something else.
	ErrNotPBF = errors.New("this is not an OpenStreetMap PBF file")
	// ErrCut means that the file ends in the middle of a block.
	ErrCut = errors.New("the PBF file ends too early: download it again")
	// ErrCorrupt means that a block contradicts the format or its bounds.
	ErrCorrupt = errors.New("the PBF file is damaged: download it again")
	// ErrUnsupported means that the file needs a feature that this reader does not have.
	ErrUnsupported = errors.New("the PBF file cannot be used")
)

// Tag is a key with its value.
type Tag struct{ Key, Value string }

// Tags are an object's tags, in the order of the file.
type Tags []Tag

// Get returns the value of a key, or "" if there is none. Of a key that occurs twice, which the
// format forbids, the first counts.
func (t Tags) Get(key string) string {
	for i := range t {
		if t[i].Key == key {
			return t[i].Value
		}
	}
	return ""
}

// Node is a point. Coordinates are WGS84 in 1e-7 degrees, within ±90 and ±180 degrees.
type Node struct {
	ID       int64
	Lat, Lng int32
	Tags     Tags
}

// Way is a line along nodes.
type Way struct {
	ID   int64
	Refs []int64 // ids of its nodes, at most MaxWayNodes
	Tags Tags
}

// MemberType says what a member of a relation is.
type MemberType uint8

// The types of members, with the format's numbers.
const (
	NodeMember MemberType = iota
	WayMember
	RelationMember
)

// Member is one part of a relation.
type Member struct {
	Type MemberType
	ID   int64
	Role string
}

// Relation is a group of objects, such as a turn restriction.
type Relation struct {
	ID      int64
	Members []Member
	Tags    Tags
}

// Handler receives the objects of a file. A nil function skips its kind of object without decoding
// it. What a function gets is valid during the call only: tags and slices are reused, but strings may
// be kept. An error ends the reading and is returned as it is.
type Handler struct {
	Node     func(*Node) error
	Way      func(*Way) error
	Relation func(*Relation) error
}

// Header is what a file says about itself. Each field may be empty.
type Header struct {
	Source    string    // where the data are from, usually http://www.openstreetmap.org/api/0.6
	Program   string    // what wrote the file
	Timestamp time.Time // the state of the data, in UTC
	// The box that the file was cut to, in 1e-7 degrees; all 0: unknown.
	South, West, North, East int32
}
