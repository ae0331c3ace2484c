package streets

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// written is the file of a map.
func written(t testing.TB, m *Map) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, int64(b.Len()), n)
	return b.Bytes()
}

// smallFile is the file of a town with everything that a file can have.
func smallFile(t testing.TB) []byte {
	c := green(squares(t)).node('e', "highway=traffic_signals").turn("no_left_turn", "abc", 'a', "adg")
	c.file.Source, c.file.Timestamp = "openstreetmap.org", 1_572_048_000
	c.file.Ways[0].Tags = append(c.file.Ways[0].Tags, tags("name:en=Alphabet alt_name=Abc~Road")...)
	lat, lng := townAt(1.5, 0.5).E7()
	c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: 9000, Lat: lat, Lng: lng, Tags: tags("tourism=hotel name=Ritz name:ko=리츠 addr:housenumber=1 addr:street=abc")})
	m := c.mapped()
	require.Len(t, m.graph.places.list, 1)
	require.Len(t, m.graph.places.addresses, 1)
	return written(t, m)
}

func TestFilesKeepEverything(t *testing.T) {
	c := squares(t).node('e', "highway=traffic_signals").turn("no_left_turn", "abc", 'a', "adg")
	c.file.Source, c.file.Timestamp = "openstreetmap.org", 1_572_048_000
	for _, m := range []*Map{c.mapped(), green(c).mapped(), manhattanMap(t)} {
		path := filepath.Join(t.TempDir(), "city.hxst")
		require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
		require.NoError(t, m.Save(path))
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, left, 1, "nothing else is left in the folder")
		got, err := Load(path)
		require.NoError(t, err)
		m.drawing.ready()
		got.drawing.ready()
		same, loaded := *m, *got
		same.names, loaded.names = nil, nil // an index that another test may have made of m
		require.Equal(t, same.table(), loaded.table())
		same.table, loaded.table = nil, nil
		require.Equal(t, same, loaded)
		require.Equal(t, m.ID(), got.ID())
	}
	meta := c.mapped().Meta()
	require.Equal(t, "openstreetmap.org", meta.Origin)
	require.Equal(t, time.Date(2019, 10, 26, 0, 0, 0, 0, time.UTC), meta.Date)
	require.Equal(t, "ODbL-1.0", meta.Licence)
	require.Equal(t, "© OpenStreetMap contributors", meta.Attribution)
	require.Equal(t, "test", meta.Builder)
	require.NotEqual(t, squares(t).mapped().ID(), c.mapped().ID())
}

func TestSaveFailsWhole(t *testing.T) {
	m := squares(t).mapped()
	require.Error(t, m.Save(filepath.Join(t.TempDir(), "missing", "city.hxst")))
	folder := t.TempDir()
	path := filepath.Join(folder, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
	require.Error(t, m.Save(path), "a folder cannot be replaced")
	device := filepath.Join(t.TempDir(), "null")
	require.NoError(t, os.Symlink(os.DevNull, device))
	require.ErrorContains(t, m.Save(device), "is not a regular file")
	to, err := os.Readlink(device)
	require.NoError(t, err)
	require.Equal(t, os.DevNull, to)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1)

	mine := errors.New("mine")
	_, err = m.WriteTo(failing{mine})
	require.ErrorIs(t, err, mine)
}

type failing struct{ err error }

// Write implements io.Writer.
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestBrokenFiles: a file with any byte changed, or cut anywhere, is refused in one sentence.
func TestBrokenFiles(t *testing.T) {
	whole := smallFile(t)
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 1 << (i % 8)
		_, err := Read(bytes.NewReader(b))
		switch {
		case i < len(magic):
			require.Equal(t, ErrNotMap, err, "byte %d", i)
		case i < headSize:
			require.Equal(t, ErrVersion, err, "byte %d", i)
		default:
			require.ErrorIs(t, err, ErrDamaged, "byte %d", i)
		}
		_, err = Read(bytes.NewReader(whole[:i]))
		if i < headSize {
			require.Equal(t, ErrNotMap, err, "cut after %d", i)
		} else {
			require.ErrorIs(t, err, ErrDamaged, "cut after %d", i)
		}
	}
	_, err := Read(bytes.NewReader(append(slices.Clone(whole), 0)))
	require.EqualError(t, err, "the map is damaged: build it again with hexhail streets build (it is longer than its header says)")
	_, err = Read(bytes.NewReader([]byte("text")))
	require.EqualError(t, err, "this is not a map built by hexhail streets build")
	old := slices.Clone(whole)
	old[8] = 0
	_, err = Read(bytes.NewReader(old))
	require.EqualError(t, err, "another version of Hexhail built this map: build it again with hexhail streets build")
	mine := errors.New("mine")
	_, err = Read(io.MultiReader(bytes.NewReader(whole[:300]), iotest.ErrReader(mine)))
	require.ErrorIs(t, err, mine)
	_, err = Read(iotest.ErrReader(mine))
	require.ErrorIs(t, err, mine)
	_, err = Load(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// sealed makes the checksums of a file right, so that what lies behind them is tested.
func sealed(b []byte) []byte {
	end := headSize + len(sectionIDs)*entrySize
	if len(b) < end+4 {
		return b
	}
	at := end + 4
	for i := range sectionIDs {
		e := b[headSize+i*entrySize:]
		n := int(le.Uint32(e[4:]))
		if n > len(b)-at {
			return b
		}
		le.PutUint32(e[8:], crc32.Checksum(b[at:at+n], castagnoli))
		at += n
	}
	le.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
	return b
}

// useful asks a map questions that reach every part of it.
func useful(t testing.TB, m *Map) {
	_ = m.Counts()
	var places []geo.Place
	for s := range m.Streets() {
		places = append(places, geo.Place{Point: m.Shape(s.Segment, nil)[0], Heading: geo.HeadingOf(90)})
	}
	places = places[:min(len(places), 8)]
	for z := range MaxZoom + 1 {
		w := worldOf(m.graph.shape[0])
		_, err := m.Tile(z, int(w.x>>(worldBits-z)), int(w.y>>(worldBits-z)))
		require.NoError(t, err)
	}
	_, err := m.Search(t.Context(), names.Query{Text: "1 abc & def", Near: &geo.Point{Lat: 40, Lng: -74}})
	require.NoError(t, err)
	for _, p := range places {
		_, err := m.To(t.Context(), places, p, time.Time{})
		for _, q := range places {
			_, err = m.Plan(t.Context(), p, q, time.Time{})
		}
		_ = err // a place may be 0,0, and streets need not be joined
		_, _, _ = m.Reverse(p.Point, "en")
	}
}

// TestForgedFiles changes each number of a file and makes its checksums right: it is refused, or
// what it says is used without a panic.
func TestForgedFiles(t *testing.T) {
	whole := smallFile(t)
	refused := 0
	for i := headSize + len(sectionIDs)*entrySize + 4; i+4 <= len(whole); i += 4 {
		for _, x := range []uint32{0, 1, 0x7fffffff, 0x80000000, 0xffffffff} {
			b := slices.Clone(whole)
			le.PutUint32(b[i:], x)
			m, err := Read(bytes.NewReader(sealed(b)))
			if err != nil {
				require.ErrorIs(t, err, ErrDamaged)
				refused++
				continue
			}
			useful(t, m)
		}
	}
	require.Greater(t, refused, 1000)
}

// FuzzRead: no file makes the loader panic, or load a map that does.
func FuzzRead(f *testing.F) {
	f.Add(smallFile(f))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(sealed(slices.Clone(b))))
		if err != nil {
			require.True(t, errors.Is(err, ErrNotMap) || errors.Is(err, ErrVersion) || errors.Is(err, ErrDamaged), "%v", err)
			return
		}
		useful(t, m)
	})
}
