// Package backup writes everything that a server needs into one file, and restores it: the database
// (which includes photos), the key that signs tokens, and the few other files in the data
// directory.
//
// The file is a tar archive: first manifest.json, which describes the contents, then the files, and
// last the SHA-256 of all preceding bytes, so that a changed or truncated file is detected. The
// digest is not a signature: anyone who can write the file can compute a new one.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/hexhail/hexhail/persistence"
)

// The names in the archive.
const (
	manifestName = "manifest.json"
	digestName   = "SHA256"
	sqliteName   = "hexhail.db"
	postgresName = "hexhail.pgdump" // pg_dump's custom format
	keyName      = "signing-key.pem"
	demoName     = "demo-password" // from a demonstration that keeps its data
)

const (
	format        = "hexhail-backup"
	formatVersion = 1
	manifestMost  = 1 << 20 // bytes
)

var (
	// ErrForeign means that a file is not a Hexhail backup.
	ErrForeign = errors.New("this is not a backup made by hexhail")
	// ErrCut means that a backup is truncated.
	ErrCut = errors.New("the backup is incomplete: its end is missing")
	// ErrChanged means that a backup differs from what was written.
	ErrChanged = errors.New("the backup was changed or damaged after it was made")
	// ErrNewer means that a newer program made the backup.
	ErrNewer = errors.New("a newer version of hexhail made this backup: use that version to restore it")
)

// Manifest describes a backup.
type Manifest struct {
	Format  string           `json:"format"`
	Version int              `json:"version"`
	MadeAt  time.Time        `json:"made_at"`
	Program string           `json:"program"` // its version
	Engine  string           `json:"engine"`  // sqlite or postgres
	Space   string           `json:"space,omitempty"`
	Schema  int64            `json:"schema"`           // the newest applied step
	Oldest  int64            `json:"oldest,omitempty"` // the newest step that a program must know to run on it
	Rows    map[string]int64 `json:"rows"`             // by table
	Files   []File           `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

func (m Manifest) has(name string) bool {
	for _, f := range m.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// describes reports whether a restored database is the one of the backup. An older program that
// made it may not have counted all tables.
func (m Manifest) describes(c persistence.Contents) bool {
	for table, n := range m.Rows {
		if have, ok := c.Rows[table]; !ok || have != n {
			return false
		}
	}
	return c.Schema == m.Schema && c.Oldest == m.Oldest
}

func (m Manifest) bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

// writeArchive writes a backup whose files are opened by name.
func writeArchive(ctx context.Context, w io.Writer, m Manifest, open func(name string) (io.ReadCloser, error)) error {
	sum := sha256.New()
	tw := tar.NewWriter(io.MultiWriter(w, sum))
	about, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	entry := func(name string, size int64) error {
		return tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: size, ModTime: m.MadeAt.Truncate(time.Second)})
	}
	if err := entry(manifestName, int64(len(about))); err != nil {
		return err
	}
	if _, err := tw.Write(about); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := entry(f.Name, f.Bytes); err != nil {
			return err
		}
		r, err := open(f.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(tw, readUntil{ctx, r})
		if err := errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := entry(digestName, 2*sha256.Size); err != nil { // flushes everything before it
		return err
	}
	if _, err := io.WriteString(tw, hex.EncodeToString(sum.Sum(nil))); err != nil {
		return err
	}
	return tw.Close()
}

// readArchive reads a backup from end to end and verifies every byte: accept may reject it by its
// manifest, take receives each file. What take has received is valid only if readArchive returns
// nil.
func readArchive(ctx context.Context, r io.Reader, accept func(Manifest) error, take func(f File, r io.Reader) error) (Manifest, error) {
	sum := sha256.New()
	tr := tar.NewReader(io.TeeReader(readUntil{ctx, r}, sum))
	m, err := readManifest(tr)
	if err != nil {
		return m, err
	}
	if err := accept(m); err != nil {
		return m, err
	}
	for _, f := range m.Files {
		if err := nextFile(tr, f); err != nil {
			return m, err
		}
		if err := take(f, tr); err != nil {
			return m, cut(err)
		}
	}
	return m, readEnd(tr, sum, r)
}

func readManifest(tr *tar.Reader) (m Manifest, err error) {
	h, err := tr.Next()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return m, ErrCut
	case errors.Is(err, tar.ErrHeader), errors.Is(err, io.EOF):
		return m, ErrForeign
	case err != nil:
		return m, err
	case h.Name != manifestName || h.Size > manifestMost:
		return m, ErrForeign
	}
	text, err := io.ReadAll(tr)
	if err != nil {
		return m, cut(err)
	}
	switch {
	case json.Unmarshal(text, &m) != nil:
		return m, ErrChanged
	case m.Format != format || m.Version < 1:
		return m, ErrForeign
	case m.Version > formatVersion:
		return m, ErrNewer
	}
	return m, nil
}

func nextFile(tr *tar.Reader, f File) error {
	h, err := tr.Next()
	switch {
	case err != nil:
		return cut(err)
	case h.Name != f.Name || h.Size != f.Bytes || h.Typeflag != tar.TypeReg:
		return ErrChanged
	}
	return nil
}

// readEnd compares the digest, and checks that only tar's zero blocks follow it.
func readEnd(tr *tar.Reader, sum hash.Hash, r io.Reader) error {
	if err := nextFile(tr, File{digestName, 2 * sha256.Size}); err != nil {
		return err
	}
	want := hex.EncodeToString(sum.Sum(nil))
	got, err := io.ReadAll(tr)
	if err != nil {
		return cut(err)
	}
	if string(got) != want {
		return ErrChanged
	}
	const zeros = 512 - 2*sha256.Size + 2*512
	rest, err := io.ReadAll(io.LimitReader(r, zeros+1))
	switch {
	case err != nil:
		return err
	case len(rest) < zeros:
		return ErrCut
	case len(rest) > zeros:
		return ErrChanged
	}
	for _, b := range rest {
		if b != 0 {
			return ErrChanged
		}
	}
	return nil
}

// cut distinguishes the archive's errors from those of the disk.
func cut(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrCut
	case errors.Is(err, tar.ErrHeader):
		return ErrChanged
	}
	return err
}

// readUntil is a reader that fails once its context ends.
type readUntil struct {
	ctx context.Context
	r   io.Reader
}

func (u readUntil) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
