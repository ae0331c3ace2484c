package streets

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/hexhail/hexhail/geo/streets/names"
)

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// encodeAliases encodes the other names of each name.
func encodeAliases(also [][]names.Alias) (b []byte) {
	for _, list := range also {
		b = aliasList(b, list)
	}
	return b
}

func aliasList(b []byte, list []names.Alias) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, a := range list {
		b = text(text(b, a.Lang), a.Text)
	}
	return b
}

// encode encodes places and addresses.
func (p *places) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(p.list)))
	for _, s := range p.list {
		b = number(number(append(b, byte(s.kind)), s.at.lat), s.at.lng)
		b = aliasList(text(b, s.name), s.also)
	}
	b = binary.AppendUvarint(b, uint64(len(p.texts)))
	for _, t := range p.texts {
		b = text(b, t)
	}
	b = binary.AppendUvarint(b, uint64(len(p.addresses)))
	for _, a := range p.addresses {
		b = number(number(number(number(b, a.at.lat), a.at.lng), a.number), a.street)
	}
	return b
}

// scanner reads a section whose records have no fixed size. After the first mistake it is bad, and returns
// zeros.
type scanner struct {
	b   []byte
	bad bool
}

// count reads a number of records, of at least size bytes each.
func (s *scanner) count(size int) int {
	n, w := binary.Uvarint(s.b)
	if w <= 0 || n > uint64((len(s.b)-w)/size) {
		s.b, s.bad = nil, true
		return 0
	}
	s.b = s.b[w:]
	return int(n)
}

func (s *scanner) text() string {
	n := s.count(1)
	t := string(s.b[:n])
	s.b = s.b[n:]
	if n > maxName || !utf8.ValidString(t) {
		s.b, s.bad = nil, true
		return ""
	}
	return t
}

func (s *scanner) byte() byte {
	if len(s.b) < 1 {
		s.bad = true
		return 0
	}
	x := s.b[0]
	s.b = s.b[1:]
	return x
}

func (s *scanner) number() int32 {
	if len(s.b) < 4 {
		s.b, s.bad = nil, true
		return 0
	}
	x := int32(le.Uint32(s.b))
	s.b = s.b[4:]
	return x
}

// index reads a number below n.
func (s *scanner) index(n int) int32 {
	x := s.number()
	if x < 0 || int(x) >= n {
		s.bad = true
		return 0
	}
	return x
}

func (s *scanner) point() point {
	p := point{s.number(), s.number()}
	if p.lat < -90e7 || p.lat > 90e7 || p.lng < -180e7 || p.lng > 180e7 {
		s.bad = true
	}
	return p
}

func (s *scanner) aliases() (list []names.Alias) {
	n := s.count(2)
	if n > maxAliases {
		s.bad = true
	}
	for i := 0; i < n && !s.bad; i++ {
		list = append(list, names.Alias{Lang: s.text(), Text: s.text()})
	}
	return list
}

// ended reports whether the section was right and has been read to its end.
func (s *scanner) ended() bool { return !s.bad && len(s.b) == 0 }

func decodeAliases(b []byte, n int) (also [][]names.Alias, ok bool) {
	s := scanner{b: b}
	for i := 0; i < n && !s.bad; i++ {
		also = append(also, s.aliases())
	}
	return also, s.ended()
}

func decodePlaces(b []byte) (p places, ok bool) {
	s := scanner{b: b}
	for n := s.count(11); n > 0 && !s.bad; n-- {
		kind := names.Kind(s.byte())
		if !kind.IsPlace() {
			s.bad = true
		}
		p.list = append(p.list, place{kind: kind, at: s.point(), name: s.text(), also: s.aliases()})
	}
	for n := s.count(1); n > 0 && !s.bad; n-- {
		p.texts = append(p.texts, s.text())
	}
	for n := s.count(16); n > 0 && !s.bad; n-- {
		p.addresses = append(p.addresses, address{at: s.point(), number: s.index(len(p.texts)), street: s.index(len(p.texts))})
	}
	return p, s.ended()
}
