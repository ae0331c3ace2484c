package streets

import (
	"errors"
	"fmt"
	"io"
)

// Content is what WriteTo writes, to be read from any place on: an io.ReadSeeker, as http.ServeContent wants it. It
// encodes a section of the file when it is read, and keeps one at a time in memory. It is for one goroutine at a time.
type Content struct {
	head     []byte
	sections []section
	table    []entry
	size     int64
	at       int64
	kept     int // the section in encoded, -1: none
	encoded  []byte
}

// Content returns the map's file. The first call for a map takes as long as WriteTo, others almost no time.
func (m *Map) Content() *Content {
	c := &Content{sections: m.sections(), table: m.table(), kept: -1}
	c.head = head(c.table)
	c.size = int64(len(c.head))
	for _, e := range c.table {
		c.size += int64(e.length)
	}
	return c
}

// Size is the length of the file in bytes.
func (c *Content) Size() int64 { return c.size }

// Read implements io.Reader.
func (c *Content) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if c.at < int64(len(c.head)) {
		n := copy(b, c.head[c.at:])
		c.at += int64(n)
		return n, nil
	}
	from := int64(len(c.head))
	for i, e := range c.table {
		if end := from + int64(e.length); c.at >= end {
			from = end
			continue
		}
		if c.kept != i {
			c.kept, c.encoded = i, nil // the one before can go first
			c.encoded = c.sections[i].encode()
		}
		n := copy(b, c.encoded[c.at-from:])
		c.at += int64(n)
		return n, nil
	}
	return 0, io.EOF
}

var errSeek = errors.New("seek in the map: there is no such place")

// Seek implements io.Seeker.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	default:
		return 0, fmt.Errorf("%w: whence %d", errSeek, whence)
	}
	if offset < 0 {
		return 0, errSeek
	}
	c.at = offset
	return offset, nil
}
