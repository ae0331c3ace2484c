package eval

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// Cache is a folder for what takes long to compute: all drives of a world, and bounds. What it holds is named by a
// checksum of all that it depends on, so it may be deleted at any time and is never out of date. The empty Cache
// keeps nothing. It is safe for concurrent use, also by several processes.
type Cache string

// revision is that of the code that computes what a Cache holds: it changes when the same input gives another value.
const revision = 2

// key names a value by what it is made from, and by the revision.
func key(kind string, from ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, append([]any{revision}, from...)...))
	return kind + "-" + hex.EncodeToString(sum[:12])
}

// read returns what is kept under a key; false if nothing is.
func (c Cache) read(key string) ([]byte, bool) {
	if c == "" {
		return nil, false
	}
	b, err := os.ReadFile(filepath.Join(string(c), key))
	return b, err == nil
}

// write keeps a value; another process sees all of it or nothing. The value is lost on an error, which is no harm:
// it is computed again.
func (c Cache) write(key string, value []byte) {
	if c == "" || os.MkdirAll(string(c), 0o750) != nil {
		return
	}
	f, err := os.CreateTemp(string(c), key+".*.part")
	if err != nil {
		return
	}
	_, err = f.Write(value)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(string(c), key))
	}
	if err != nil {
		os.Remove(f.Name())
	}
}

// encode lays the tables out one behind the other, little-endian.
func (d *drives) encode() []byte {
	out := make([]byte, 0, 2*3*d.n*d.n)
	for _, table := range [][]uint16{d.seconds, d.metres, d.first} {
		for _, v := range table {
			out = binary.LittleEndian.AppendUint16(out, v)
		}
	}
	return out
}

// decode reads what encode wrote for n places; false if it is not that.
func decode(b []byte, n int, streets []street) (*drives, bool) {
	size := n * n
	if len(b) != 2*3*size {
		return nil, false
	}
	tables := make([]uint16, 3*size)
	for i := range tables {
		tables[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	d := &drives{n: n, seconds: tables[:size], metres: tables[size : 2*size], first: tables[2*size:], takes: takesOf(streets)}
	for _, p := range d.first {
		if int(p) >= n {
			return nil, false
		}
	}
	return d, true
}
