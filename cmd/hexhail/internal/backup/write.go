package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/outfile"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/transport/auth"
)

var (
	// ErrExists means that the backup's file exists already.
	ErrExists = outfile.ErrExists
	// ErrNoSpace means that a disk has too little free space.
	ErrNoSpace = errors.New("there is too little space on the disk")
)

// Place is where a server's data are.
type Place struct {
	Store   persistence.Options
	DataDir string // the embedded database is in it
	KeyPath string // the signing key's file
}

// Options say how to write or restore a backup.
type Options struct {
	// Force replaces an existing file, or existing data.
	Force bool
	// Program is this program's version.
	Program string
	// Progress is called with the current step and bytes; total is 0 when unknown. It must not be
	// nil.
	Progress func(step string, done, total int64)
}

// Report describes what was written or restored.
type Report struct {
	Manifest
	Size     int64 // of the archive, bytes
	Took     time.Duration
	NoKey    bool     // there was no signing key
	Replaced []string // the new paths of data that were there before
}

const (
	// syncEvery is how many bytes are written between two syncs: a server's commits wait for bytes
	// that are not on disk yet.
	syncEvery = 8 << 20
	// spareBytes is how much space is left free on a disk.
	spareBytes = 16 << 20
	// staleAfter is the age at which the remains of a killed backup may be removed.
	staleAfter = 24 * time.Hour
)

// Write makes a backup of a place, which a server may use meanwhile, and verifies all of it before
// the file gets its name. On failure it leaves nothing behind. The error is or wraps ErrExists,
// outfile.ErrNotSynced, ErrNoSpace, ErrNoTools, persistence.ErrNoDatabase or persistence.ErrDamaged where one of them
// applies.
func Write(ctx context.Context, p Place, to string, o Options) (rep Report, err error) {
	start := time.Now()
	if err := outfile.Free(to, o.Force); err != nil {
		return rep, err
	}
	partial := to + ".partial"
	out, err := openPartial(partial)
	if err != nil {
		return rep, err
	}
	defer func() { _ = os.Remove(partial) }() // renamed by then, or useless
	defer func() { err = errors.Join(err, closeOnce(out)) }()
	if rep, err = writeAll(ctx, p, out, o); err != nil {
		return rep, err
	}
	if err := errors.Join(out.Sync(), closeOnce(out)); err != nil {
		return rep, fmt.Errorf("write %s: %w", partial, err)
	}
	if rep.Size, err = checkFile(ctx, partial, o); err != nil {
		return rep, err
	}
	if err := outfile.Publish(partial, to, o.Force); err != nil {
		return rep, err
	}
	rep.Took = time.Since(start)
	return rep, nil
}

// Stream makes a backup and writes it to w. It cannot verify what has arrived there; Check or a
// restore does.
func Stream(ctx context.Context, p Place, w io.Writer, o Options) (rep Report, err error) {
	start := time.Now()
	scratch, err := os.MkdirTemp(p.DataDir, ".backup-*")
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	path := filepath.Join(scratch, "backup")
	if rep, err = Write(ctx, p, path, o); err != nil {
		return rep, err
	}
	f, err := os.Open(path)
	if err != nil {
		return rep, err
	}
	defer f.Close()
	_, err = io.Copy(w, readUntil{ctx, f})
	rep.Took = time.Since(start)
	return rep, err
}

// Check reads a backup from end to end. See readArchive for its errors.
func Check(ctx context.Context, in io.Reader, o Options) (rep Report, err error) {
	start := time.Now()
	rep.Manifest, err = readArchive(ctx, in, func(Manifest) error { return nil }, func(of File, r io.Reader) error {
		_, err := io.Copy(io.Discard, &counter{r: r, total: of.Bytes, step: "reading", o: o})
		return err
	})
	rep.Size, rep.NoKey, rep.Took = rep.bytes(), !rep.has(keyName), time.Since(start)
	return rep, err
}

// checkFile reads a backup that has just been written and returns its size.
func checkFile(ctx context.Context, path string, o Options) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := Check(ctx, f, o); err != nil {
		return 0, fmt.Errorf("read %s again: %w", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

func openPartial(path string) (*os.File, error) {
	if st, err := os.Lstat(path); err == nil && time.Since(st.ModTime()) > staleAfter {
		_ = os.Remove(path) // left by a killed backup
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: another backup is writing it or was killed; remove it if none is running", path)
	}
	return f, err
}

// closeOnce closes a file that may already be closed.
func closeOnce(f *os.File) error {
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}

// writeAll copies the database to a file beside the archive, then everything into the archive.
func writeAll(ctx context.Context, p Place, out *os.File, o Options) (rep Report, err error) {
	rep.Manifest = Manifest{Format: format, Version: formatVersion, MadeAt: time.Now().UTC().Truncate(time.Millisecond), Program: o.Program}
	parts := make(map[string]string) // paths by name
	copied := out.Name() + ".database"
	_ = os.Remove(copied) // the owner of the partial file owns this one, too
	defer func() { _ = os.Remove(copied) }()
	if p.Store.DatabaseURL != "" {
		parts[postgresName] = copied
		err = dumpPostgres(ctx, p.Store, copied, &rep.Manifest, o)
	} else {
		parts[sqliteName] = copied
		err = copySQLite(ctx, p.Store.Path, copied, &rep, o)
	}
	if err != nil {
		return rep, err
	}
	key, err := os.ReadFile(p.KeyPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		rep.NoKey = true
	case err != nil:
		return rep, err
	default:
		if _, err := auth.ParseKeys(string(key)); err != nil {
			return rep, fmt.Errorf("the signing key %s: %w", p.KeyPath, err)
		}
		parts[keyName] = p.KeyPath
	}
	parts[demoName] = filepath.Join(p.DataDir, demoName)
	for _, name := range []string{keyName, demoName, sqliteName, postgresName} { // small files first
		if st, err := os.Stat(parts[name]); err == nil && parts[name] != "" {
			rep.Files = append(rep.Files, File{name, st.Size()})
		}
	}
	var before int64
	err = writeArchive(ctx, &syncing{f: out}, rep.Manifest, func(name string) (io.ReadCloser, error) {
		f, err := os.Open(parts[name])
		if err != nil {
			return nil, err
		}
		r := &counter{r: f, done: before, total: rep.bytes(), step: "writing", o: o}
		for _, of := range rep.Files {
			if of.Name == name {
				before += of.Bytes
			}
		}
		return struct {
			io.Reader
			io.Closer
		}{r, f}, nil
	})
	return rep, err
}

func copySQLite(ctx context.Context, path, to string, rep *Report, o Options) error {
	length := func(path string) int64 {
		st, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return st.Size()
	}
	// The copy and the archive, plus the log's growth if it is on the same disk.
	if err := room(filepath.Dir(to), 2*(length(path)+length(path+"-wal"))); err != nil {
		return err
	}
	if err := persistence.CopyFile(ctx, path, to, func(done, total int64) { o.Progress("copying", done, total) }); err != nil {
		return err
	}
	o.Progress("checking the copy", 0, 0)
	c, err := persistence.CheckFile(ctx, to)
	if err != nil {
		return err
	}
	rep.Engine, rep.Schema, rep.Oldest, rep.Rows = "sqlite", c.Schema, c.Oldest, c.Rows
	return nil
}

// free is freeBytes, except in tests.
var free = freeBytes

// room returns nil if a directory's disk has this many bytes free, and spareBytes more.
func room(dir string, bytes int64) error {
	have, ok := free(dir)
	if ok && have < bytes+spareBytes {
		return fmt.Errorf("%w of %s: %d MiB are needed, %d are free", ErrNoSpace, dir, (bytes+spareBytes)>>20, have>>20)
	}
	return nil
}

// syncing writes to a file and syncs it every syncEvery bytes.
type syncing struct {
	f *os.File
	n int
}

func (s *syncing) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if s.n += n; err == nil && s.n >= syncEvery {
		s.n = 0
		err = s.f.Sync()
	}
	return n, err
}

// counter reports the progress of what is read through it.
type counter struct {
	r           io.Reader
	done, total int64
	step        string
	o           Options
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.o.Progress(c.step, c.done, c.total)
	return n, err
}
