package pbf_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

var small = pbftest.File{
	Nodes: []pbf.Node{
		{ID: 5, Lat: 601_699_000, Lng: 249_384_000},
		{ID: 3, Lat: -601_699_001, Lng: -1_800_000_000, Tags: pbf.Tags{{Key: "highway", Value: "traffic_signals"}}},
		{ID: 1 << 40, Lat: 900_000_000, Lng: 1_800_000_000},
	},
	Ways: []pbf.Way{
		{ID: 7, Refs: []int64{5, 3, 1 << 40}, Tags: pbf.Tags{{Key: "highway", Value: "primary"}, {Key: "name", Value: "테헤란로"}}},
		{ID: 8},
	},
	Relations: []pbf.Relation{{ID: 9, Tags: pbf.Tags{{Key: "type", Value: "restriction"}}, Members: []pbf.Member{
		{Type: pbf.WayMember, ID: 7, Role: "from"}, {Type: pbf.NodeMember, ID: 3, Role: "via"}, {Type: pbf.RelationMember, ID: 1, Role: ""},
	}}},
	Source: "openstreetmap.org", Program: "test", Timestamp: 1_572_048_000,
}

// collect reads everything into a file.
func collect(r io.Reader) (pbftest.File, error) {
	var got pbftest.File
	h, err := pbf.Read(context.Background(), r, pbf.Handler{
		Node: func(n *pbf.Node) error {
			c := *n
			c.Tags = slices.Clone(n.Tags)
			got.Nodes = append(got.Nodes, c)
			return nil
		},
		Way: func(w *pbf.Way) error {
			c := *w
			c.Tags, c.Refs = slices.Clone(w.Tags), slices.Clone(w.Refs)
			got.Ways = append(got.Ways, c)
			return nil
		},
		Relation: func(r *pbf.Relation) error {
			c := *r
			c.Tags, c.Members = slices.Clone(r.Tags), slices.Clone(r.Members)
			got.Relations = append(got.Relations, c)
			return nil
		},
	})
	got.Source, got.Program = h.Source, h.Program
	if !h.Timestamp.IsZero() {
		got.Timestamp = h.Timestamp.Unix()
	}
	return got, err
}

// normal makes nil and empty slices equal.
func normal(f pbftest.File) pbftest.File {
	for i := range f.Nodes {
		f.Nodes[i].Tags = append(pbf.Tags{}, f.Nodes[i].Tags...)
	}
	for i := range f.Ways {
		f.Ways[i].Tags = append(pbf.Tags{}, f.Ways[i].Tags...)
		f.Ways[i].Refs = append([]int64{}, f.Ways[i].Refs...)
	}
	return f
}

func TestReadsWhatWasWritten(t *testing.T) {
	for _, plain := range []bool{false, true} {
		f := small
		f.Plain = plain
		got, err := collect(iotest.OneByteReader(bytes.NewReader(f.Bytes())))
		require.NoError(t, err)
		require.Equal(t, normal(small), normal(got))
	}
}

func TestSkipsWhatIsNotWanted(t *testing.T) {
	seen := 0
	_, err := pbf.Read(t.Context(), bytes.NewReader(small.Bytes()), pbf.Handler{Way: func(*pbf.Way) error { seen++; return nil }})
	require.NoError(t, err)
	require.Equal(t, 2, seen)

	var out bytes.Buffer
	out.Write(small.Bytes())
	pbftest.Blob(&out, "Fruit", []byte{1, 2, 3}, false)
	_, err = pbf.Read(t.Context(), &out, pbf.Handler{})
	require.NoError(t, err, "unknown kinds of blocks are skipped")
}

func TestErrorsOfHandlersAndReaders(t *testing.T) {
	mine := errors.New("mine")
	_, err := pbf.Read(t.Context(), bytes.NewReader(small.Bytes()), pbf.Handler{Node: func(*pbf.Node) error { return mine }})
	require.Equal(t, mine, err)
	_, err = pbf.Read(t.Context(), iotest.ErrReader(mine), pbf.Handler{})
	require.ErrorIs(t, err, mine)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pbf.Read(ctx, bytes.NewReader(small.Bytes()), pbf.Handler{})
	require.ErrorIs(t, err, context.Canceled)
}

// TestEveryCutIsSeen cuts a file after each byte. Between two blocks nothing is missing that a reader
// could know of.
func TestEveryCutIsSeen(t *testing.T) {
	whole := small.Bytes()
	ok := 0
	for n := range whole {
		_, err := collect(bytes.NewReader(whole[:n]))
		switch {
		case err == nil:
			ok++
		case n < 30:
			require.True(t, errors.Is(err, pbf.ErrNotPBF) || errors.Is(err, pbf.ErrCut), "%d: %v", n, err)
		default:
			require.ErrorIs(t, err, pbf.ErrCut, "cut after %d bytes", n)
		}
	}
	require.Equal(t, 3, ok)
}

func TestEveryFlippedBitIsSeenOrHarmless(t *testing.T) {
	whole := small.Bytes()
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if _, err := collect(bytes.NewReader(b)); err != nil {
			require.True(t, known(err), "%d: %v", i, err)
		}
	}
}

func known(err error) bool {
	for _, e := range []error{pbf.ErrNotPBF, pbf.ErrCut, pbf.ErrCorrupt, pbf.ErrUnsupported} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func TestForeignFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "this is not an OpenStreetMap PBF file: it is empty",
		"ab":                          "this is not an OpenStreetMap PBF file: it is too short",
		"hello, this is plain text":   "this is not an OpenStreetMap PBF file",
		"<?xml version='1.0'?><osm/>": "this is not an OpenStreetMap PBF file: it looks like XML, which osmium can convert",
		"\x1f\x8b\x08\x00 gzip":       "this is not an OpenStreetMap PBF file: the whole file is compressed: decompress it first",
		"HXST\x00\x00\x00\x01":        "this is not an OpenStreetMap PBF file: it is a map that is already built",
		"\x00\x00\x00\x02\xff\xff":    "this is not an OpenStreetMap PBF file: its first block has no header",
	} {
		_, err := collect(bytes.NewReader([]byte(text)))
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, pbf.ErrNotPBF)
	}
	var out bytes.Buffer
	pbftest.Blob(&out, "OSMData", nil, false)
	_, err := collect(&out)
	require.EqualError(t, err, "this is not an OpenStreetMap PBF file: it does not begin with a header")
}

func TestUnsupportedFiles(t *testing.T) {
	f := small
	f.Required = []string{"HistoricalInformation"}
	_, err := collect(bytes.NewReader(f.Bytes()))
	require.EqualError(t, err, `the PBF file cannot be used: it needs "HistoricalInformation"`)
	require.ErrorIs(t, err, pbf.ErrUnsupported)

	var out bytes.Buffer
	pbftest.RawBlob(&out, "OSMHeader", []byte{7<<3 | 2, 1, 0})
	_, err = collect(&out)
	require.EqualError(t, err, "the PBF file cannot be used: it is compressed with Zstandard: convert it with osmium, which uses zlib")
}

func TestBounds(t *testing.T) {
	one := func(f pbftest.File) error { _, err := collect(bytes.NewReader(f.Bytes())); return err }
	for name, f := range map[string]pbftest.File{
		"latitude":  {Nodes: []pbf.Node{{ID: 1, Lat: 900_000_001}}},
		"longitude": {Nodes: []pbf.Node{{ID: 1, Lng: -1_800_000_001}}, Plain: true},
		"way":       {Ways: []pbf.Way{{Refs: make([]int64, pbf.MaxWayNodes+1)}}},
		"relation":  {Relations: []pbf.Relation{{Members: make([]pbf.Member, pbf.MaxMembers+1)}}},
		"tags":      {Ways: []pbf.Way{{Tags: make(pbf.Tags, pbf.MaxTags+1)}}},
		"member":    {Relations: []pbf.Relation{{Members: []pbf.Member{{Type: 3}}}}},
	} {
		require.ErrorIs(t, one(f), pbf.ErrCorrupt, name)
	}
	require.NoError(t, one(pbftest.File{Ways: []pbf.Way{{Refs: make([]int64, pbf.MaxWayNodes)}}}))

	var out bytes.Buffer
	out.Write(small.Bytes())
	out.Write([]byte{0, 1, 0, 0})
	_, err := collect(&out)
	require.ErrorIs(t, err, pbf.ErrCorrupt, "a header of 64 KiB")

	// A block that claims to be small and unpacks to more: the rest is never unpacked.
	out.Reset()
	pbftest.RawBlob(&out, "OSMHeader", append([]byte{2 << 3, 1}, packedZeros(t, 1<<20)...))
	_, err = collect(&out)
	require.ErrorIs(t, err, pbf.ErrCorrupt)
}

// packedZeros is a blob's field of n zero bytes, packed.
func packedZeros(t *testing.T, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	pbftest.Blob(&out, "x", make([]byte, n), false)
	b := out.Bytes()
	i := bytes.Index(b, []byte{0x78, 0x9c}) // zlib's own header
	require.Positive(t, i)
	z := b[i:]
	head := []byte{3<<3 | 2}
	for x := len(z); ; x >>= 7 {
		if x < 0x80 {
			return append(append(head, byte(x)), z...)
		}
		head = append(head, byte(x)|0x80)
	}
}

func TestHeaderOfALaterDate(t *testing.T) {
	h, err := pbf.Read(t.Context(), bytes.NewReader(small.Bytes()), pbf.Handler{})
	require.NoError(t, err)
	require.Equal(t, time.Date(2019, 10, 26, 0, 0, 0, 0, time.UTC), h.Timestamp)
}

// FuzzRead: no file makes the reader panic, take memory beyond its bounds, or return an
// error that callers cannot tell apart.
func FuzzRead(f *testing.F) {
	plain := small
	plain.Plain = true
	f.Add(small.Bytes())
	f.Add(plain.Bytes())
	f.Add([]byte("<osm/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := collect(bytes.NewReader(b))
		if err != nil {
			require.True(t, known(err), "%v", err)
			return
		}
		for _, n := range got.Nodes {
			require.True(t, n.Lat >= -90e7 && n.Lat <= 90e7 && n.Lng >= -180e7 && n.Lng <= 180e7)
		}
	})
}
