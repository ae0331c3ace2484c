package streets

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// A map's file begins with 16 bytes: a magic number that survives no conversion of line ends, the
// version and the order of bytes. A table of sections follows, with the CRC-32C of each and of
// itself, then the sections, without gaps. All numbers are little-endian.
//
// The file is read, not mapped into memory: a mapped file that something cuts short kills the
// process. Everything that a search relies on is checked while it is read.

const (
	magic     = "HXST\r\n\x1a\n"
	byteOrder = 0x01020304
	// fileVersion is the only version that this program reads. A new section, a new road or another
	// meaning of a number is a new version: maps are built again, not converted.
	fileVersion = 2

	headSize   = 16
	entrySize  = 16
	maxSection = 1 << 31
)

// What can be wrong with a map's file.
var (
	// ErrNotMap means that the file is something else.
	ErrNotMap = errors.New("this is not a map built by hexhail streets build")
	// ErrVersion means that another version of the program built the map.
	ErrVersion = errors.New("another version of Hexhail built this map: build it again with hexhail streets build")
	// ErrDamaged means that the file is cut or changed.
	ErrDamaged = errors.New("the map is damaged: build it again with hexhail streets build")
)

// section is a part of the file.
type section struct {
	id     string // of 4 letters
	encode func() []byte
}

// entry is a line of the table.
type entry struct {
	id     string
	length uint32
	crc    uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func tableOf(sections []section) []entry {
	table := make([]entry, len(sections))
	for i, s := range sections {
		b := s.encode()
		table[i] = entry{id: s.id, length: uint32(len(b)), crc: crc32.Checksum(b, castagnoli)}
	}
	return table
}

// head is the beginning of the file, with the table and its checksum.
func head(table []entry) []byte {
	b := append([]byte{}, magic...)
	b = binary.LittleEndian.AppendUint32(b, fileVersion)
	b = binary.LittleEndian.AppendUint32(b, byteOrder)
	for _, e := range table {
		b = append(b, e.id...)
		b = binary.LittleEndian.AppendUint32(b, e.length)
		b = binary.LittleEndian.AppendUint32(b, e.crc)
		b = append(b, 0, 0, 0, 0)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// identity follows from the table, so from every byte of the map. It is never 0.
func identity(table []entry) uint64 {
	sum := sha256.Sum256(head(table))
	return max(1, binary.BigEndian.Uint64(sum[:]))
}

func (m *Map) sections() []section {
	return sectionsOf(m.meta, m.graph, m.drawing.ground, m.ways)
}

// WriteTo writes the map in the format that Read reads, and returns the number of bytes. Model and
// weights: the weights are part of the file, the model is not.
func (m *Map) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(head(m.table()))
	total := int64(n)
	for _, s := range m.sections() {
		if err != nil {
			break
		}
		n, err = w.Write(s.encode())
		total += int64(n)
	}
	if err != nil {
		return total, fmt.Errorf("write the map: %w", err)
	}
	return total, nil
}

// Save writes the map to a file: whole or not at all, and on disk when it returns. A file that was
// there before is replaced, but nothing else, such as a device.
func (m *Map) Save(path string) (err error) {
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("write the map: %s is not a regular file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write the map: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if _, err = m.WriteTo(w); err != nil {
		return err
	}
	for _, step := range []func() error{w.Flush, func() error { return f.Chmod(0o644) }, f.Sync, f.Close} {
		if err = step(); err != nil {
			return fmt.Errorf("write the map: %w", err)
		}
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write the map: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("write the map: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("write the map: %w", err)
	}
	return nil
}

// Load reads a map's file, with DefaultModel. The error wraps ErrNotMap, ErrVersion, ErrDamaged or
// that of the file system.
func Load(path string) (*Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	defer f.Close()
	return Read(f)
}

// Read reads a map from a stream to its end. See Load.
func Read(r io.Reader) (*Map, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	table, err := readHead(in)
	if err != nil {
		return nil, err
	}
	parts := make(map[string][]byte, len(table))
	for _, e := range table {
		b, err := readSection(in, e)
		if err != nil {
			return nil, err
		}
		parts[e.id] = b
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, damaged("it is longer than its header says")
	}
	meta, g, on, ways, err := decode(parts)
	if err != nil {
		return nil, err
	}
	return newMap(identity(table), meta, g, on, ways, DefaultModel()), nil
}

// IsMap reports whether a file begins as maps do, of any version, damaged or not. Load says more.
func IsMap(begin []byte) bool { return bytes.HasPrefix(begin, []byte(magic[:4])) }

func damaged(how string) error { return fmt.Errorf("%w (%s)", ErrDamaged, how) }

// readHead reads the beginning and the table.
func readHead(r io.Reader) ([]entry, error) {
	b := make([]byte, headSize+len(sectionIDs)*entrySize+4)
	n, err := io.ReadFull(r, b)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("read the map: %w", err)
	case n < headSize || string(b[:len(magic)]) != magic:
		return nil, ErrNotMap
	case binary.LittleEndian.Uint32(b[12:]) != byteOrder || binary.LittleEndian.Uint32(b[8:]) != fileVersion:
		return nil, ErrVersion
	case err != nil:
		return nil, damaged("it is truncated")
	case crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]):
		return nil, damaged("its table is wrong")
	}
	table := make([]entry, len(sectionIDs))
	for i, id := range sectionIDs {
		e := b[headSize+i*entrySize:]
		table[i] = entry{id: string(e[:4]), length: binary.LittleEndian.Uint32(e[4:]), crc: binary.LittleEndian.Uint32(e[8:])}
		if table[i].id != id || table[i].length > maxSection {
			return nil, damaged("its table is wrong")
		}
	}
	return table, nil
}

// readSection reads a section and checks it. Memory grows as bytes arrive.
func readSection(r io.Reader, e entry) ([]byte, error) {
	const step = 16 << 20
	b := make([]byte, 0, min(int(e.length), step))
	for len(b) < int(e.length) {
		at := len(b)
		b = append(b, make([]byte, min(step, int(e.length)-at))...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, damaged("it is truncated")
			}
			return nil, fmt.Errorf("read the map: %w", err)
		}
	}
	if crc32.Checksum(b, castagnoli) != e.crc {
		return nil, damaged("section " + e.id + " has changed")
	}
	return b, nil
}
