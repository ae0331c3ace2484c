package backup

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// archive is a small backup in memory.
func archive(t *testing.T, m Manifest) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, writeArchive(t.Context(), &b, m, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content(name))), nil
	}))
	return b.Bytes()
}

func content(name string) string { return strings.Repeat(name, 20) }

func manifest() Manifest {
	m := Manifest{Format: format, Version: formatVersion, MadeAt: time.Unix(1e9, 0).UTC(), Engine: "sqlite", Schema: 1, Rows: map[string]int64{"trips": 7}}
	for _, name := range []string{keyName, sqliteName} {
		m.Files = append(m.Files, File{name, int64(len(content(name)))})
	}
	return m
}

// read reads a backup and returns its files.
func read(t *testing.T, b []byte) (map[string]string, error) {
	t.Helper()
	out := make(map[string]string)
	_, err := readArchive(t.Context(), bytes.NewReader(b), func(Manifest) error { return nil }, func(f File, r io.Reader) error {
		text, err := io.ReadAll(r)
		out[f.Name] = string(text)
		return err
	})
	return out, err
}

// Every changed, missing or additional byte of a backup is detected.
func TestEveryByteCounts(t *testing.T) {
	whole := archive(t, manifest())
	got, err := read(t, whole)
	require.NoError(t, err)
	require.Equal(t, map[string]string{keyName: content(keyName), sqliteName: content(sqliteName)}, got)
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		_, err := read(t, b)
		require.Error(t, err, "byte %d of %d", i, len(whole))
		_, err = read(t, whole[:i])
		require.Error(t, err, "cut at %d of %d", i, len(whole))
		if i >= 2*512 { // after the manifest's first block
			require.ErrorIs(t, err, ErrCut, "cut at %d", i)
		}
	}
	_, err = read(t, append(bytes.Clone(whole), 0))
	require.ErrorIs(t, err, ErrChanged)
}

// A file that is not a backup, or one from a newer program, gets its own error.
func TestForeignFiles(t *testing.T) {
	var other bytes.Buffer
	tw := tar.NewWriter(&other)
	require.NoError(t, tw.WriteHeader(&tar.Header{Name: "manifest.json", Size: 2, Mode: 0o600}))
	_, err := tw.Write([]byte("{}"))
	require.NoError(t, err)
	require.NoError(t, tw.Close())
	newer := manifest()
	newer.Version++
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty": {nil, ErrForeign}, "text": {[]byte(strings.Repeat("text\n", 500)), ErrForeign}, "database": {append([]byte("SQLite format 3\x00"), make([]byte, 8000)...), ErrForeign},
		"zeros": {make([]byte, 4096), ErrForeign}, "another tar": {other.Bytes(), ErrForeign}, "newer": {archive(t, newer), ErrNewer},
	} {
		_, err := read(t, c.file)
		require.ErrorIs(t, err, c.want, name)
	}
}
