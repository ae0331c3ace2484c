package pbf

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// Read reads a whole file and hands its objects to h, from the calling goroutine. It checks ctx
// between blocks. The errors are described at ErrNotPBF and below; after an error, h has
// received an unknown part of the file.
func Read(ctx context.Context, r io.Reader, h Handler) (Header, error) {
	d := decoder{h: h}
	b := blobs{r: r}
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return Header{}, fmt.Errorf("read the PBF file: %w", err)
		}
		kind, data, err := b.next(first)
		switch {
		case errors.Is(err, io.EOF) && !first:
			return d.header, nil
		case errors.Is(err, io.EOF):
			return Header{}, fmt.Errorf("%w: it is empty", ErrNotPBF)
		case err != nil:
			return Header{}, err
		}
		switch {
		case first && kind != "OSMHeader":
			return Header{}, fmt.Errorf("%w: it does not begin with a header", ErrNotPBF)
		case kind == "OSMHeader":
			err = d.readHeader(data)
		case kind == "OSMData":
			err = d.readBlock(data)
		} // the format asks readers to skip kinds that they do not know
		if err != nil {
			return Header{}, err
		}
	}
}

// blobs cuts a stream into its blobs.
type blobs struct {
	r            io.Reader
	packed, data []byte // reused
	zlib         io.ReadCloser
}

// next returns the kind and the unpacked content of the next blob, valid until the next call.
// io.EOF is the end of the file, between two blobs.
func (b *blobs) next(first bool) (kind string, data []byte, err error) {
	var size [4]byte
	if n, err := io.ReadFull(b.r, size[:]); err != nil {
		return "", nil, ended(err, first, n == 0)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n >= MaxBlobHeader {
		if first {
			return "", nil, foreign(size[:])
		}
		return "", nil, fmt.Errorf("%w: a block's header is too large", ErrCorrupt)
	}
	if b.packed, err = fill(b.r, b.packed, int(n)); err != nil {
		return "", nil, ended(err, first, false)
	}
	kind, length, err := blobHeader(b.packed)
	if err != nil {
		if first {
			return "", nil, fmt.Errorf("%w: its first block has no header", ErrNotPBF)
		}
		return "", nil, err
	}
	if b.packed, err = fill(b.r, b.packed, length); err != nil {
		return "", nil, ended(err, false, false)
	}
	data, err = b.unpack(b.packed)
	return kind, data, err
}

// ended translates the end of a stream. clean means that it lies between two blobs.
func ended(err error, first, clean bool) error {
	switch {
	case clean && errors.Is(err, io.EOF):
		return io.EOF
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read the PBF file: %w", err)
	case first:
		return fmt.Errorf("%w: it is too short", ErrNotPBF)
	}
	return ErrCut
}

// foreign names formats that are often taken for PBF.
func foreign(begin []byte) error {
	switch {
	case bytes.HasPrefix(begin, []byte("<")):
		return fmt.Errorf("%w: it looks like XML, which osmium can convert", ErrNotPBF)
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}), bytes.HasPrefix(begin, []byte("BZh")), bytes.HasPrefix(begin, []byte("PK")):
		return fmt.Errorf("%w: the whole file is compressed: decompress it first", ErrNotPBF)
	case bytes.HasPrefix(begin, []byte("HXST")):
		return fmt.Errorf("%w: it is a map that is already built", ErrNotPBF)
	}
	return ErrNotPBF
}

// fill reads n bytes into buf, which grows as they arrive: a length alone takes no memory.
func fill(r io.Reader, buf []byte, n int) ([]byte, error) {
	const step = 1 << 20
	buf = buf[:0]
	for len(buf) < n {
		part := min(step, n-len(buf))
		at := len(buf)
		buf = append(buf, make([]byte, part)...)
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

func blobHeader(b []byte) (kind string, length int, err error) {
	length = -1
	err = eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			kind = string(f.bytes)
		case 3:
			if f.number > MaxBlob {
				return corrupt("a block is too large")
			}
			length = int(f.number)
		}
		return nil
	})
	if err == nil && (kind == "" || length < 0) {
		err = corrupt("a block has no kind or length")
	}
	return kind, length, err
}

// unpack returns a blob's content.
func (b *blobs) unpack(blob []byte) ([]byte, error) {
	var raw, packed []byte
	size := uint64(0)
	foreign := protowire.Number(0)
	err := eachField(blob, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			raw = f.bytes
		case 2:
			size = f.number
		case 3:
			packed = f.bytes
		case 4, 5, 6, 7:
			foreign = num
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case raw != nil:
		return raw, nil
	case packed != nil && size > MaxBlob:
		return nil, corrupt("a block is too large")
	case packed != nil:
		return b.inflate(packed, int(size))
	case foreign != 0:
		name := map[protowire.Number]string{4: "LZMA", 5: "bzip2", 6: "LZ4", 7: "Zstandard"}[foreign]
		return nil, fmt.Errorf("%w: it is compressed with %s: convert it with osmium, which uses zlib", ErrUnsupported, name)
	}
	return nil, corrupt("a block has no data")
}

func (b *blobs) inflate(packed []byte, size int) (_ []byte, err error) {
	if b.zlib == nil {
		b.zlib, err = zlib.NewReader(bytes.NewReader(packed))
	} else {
		err = b.zlib.(zlib.Resetter).Reset(bytes.NewReader(packed), nil)
	}
	if err != nil {
		return nil, corrupt("a block cannot be unpacked")
	}
	if b.data, err = fill(b.zlib, b.data, size); err != nil {
		return nil, corrupt("a block cannot be unpacked")
	}
	// The end holds the checksum.
	var beyond [1]byte
	if n, err := b.zlib.Read(beyond[:]); n != 0 || !errors.Is(err, io.EOF) {
		return nil, corrupt("a block is longer than its header says")
	}
	return b.data, nil
}
