package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/outfile"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/transport/auth"
)

// ErrOccupied means that existing data would be overwritten.
var ErrOccupied = errors.New("there are data already")

// Restore restores a backup to a place. It reads and checks everything before it changes anything.
// The error is persistence.ErrOwned while a server runs there, ErrOccupied if the place is not
// empty, or one of reading an archive. With Force, existing data are set aside, not removed; on
// Postgres the tables are replaced in one transaction.
func Restore(ctx context.Context, p Place, in io.Reader, o Options) (rep Report, err error) {
	start := time.Now()
	real, err := filepath.EvalSymlinks(p.Store.Path)
	if err == nil {
		p.Store.Path = real // SQLite keeps its log beside the real file
	}
	r := &restoring{Place: p, o: o, dir: filepath.Dir(p.Store.Path), stamp: start.UTC().Format("20060102T150405Z")}
	made, err := makeDir(r.dir)
	defer func() {
		for _, dir := range made { // empty again, unless the restore succeeded
			_ = os.Remove(dir)
		}
	}()
	if err != nil {
		return rep, err
	}
	if r.scratch, err = os.MkdirTemp(r.dir, ".restore-*"); err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.scratch)) }()
	if err := r.own(ctx, false); err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, r.disown()) }()
	if rep.Manifest, err = readArchive(ctx, in, func(m Manifest) error { return r.accept(ctx, m) }, r.extract); err != nil {
		return rep, err
	}
	if err := r.check(ctx, rep.Manifest); err != nil {
		return rep, err
	}
	if err := r.own(ctx, true); err != nil {
		return rep, err
	}
	if err := r.put(ctx, rep.Manifest); err != nil {
		return rep, errors.Join(err, r.back())
	}
	rep.Size, rep.NoKey, rep.Replaced, rep.Took = rep.bytes(), !rep.has(keyName), r.replaced, time.Since(start)
	return rep, nil
}

// restoring is one restore under way.
type restoring struct {
	Place
	o        Options
	dir      string // the embedded database's
	scratch  string // in dir; holds the backup's files until they are checked
	stamp    string
	release  func() error // releases the owner's lock; nil: not taken
	undo     []func() error
	replaced []string
}

// makeDir makes a directory and returns those that it created, deepest first.
func makeDir(dir string) (made []string, err error) {
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			return made, os.MkdirAll(dir, 0o700)
		}
		made = append(made, d)
	}
}

// own takes the owner's lock unless it has it. Where no server has ever run, it does so only once
// the files are ready, so that a refused restore leaves nothing behind.
func (r *restoring) own(ctx context.Context, now bool) error {
	if r.release != nil {
		return nil
	}
	if !now && r.Store.DatabaseURL == "" {
		if _, err := os.Stat(r.Store.Path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	var err error
	r.release, err = persistence.Claim(ctx, r.Store)
	return err
}

func (r *restoring) disown() error {
	if r.release == nil {
		return nil
	}
	return r.release()
}

// accept rejects a backup by its manifest, before the rest is read.
func (r *restoring) accept(ctx context.Context, m Manifest) error {
	engine, data := "sqlite", sqliteName
	if r.Store.DatabaseURL != "" {
		engine, data = "postgres", postgresName
	}
	switch {
	case m.Engine != engine && m.Engine == "postgres":
		return errors.New("this backup is of a Postgres database: set database-url to the one that it should be restored to")
	case m.Engine != engine && m.Engine == "sqlite":
		return errors.New("this backup is of an embedded database: restore it without database-url")
	case m.Engine != engine, !m.has(data):
		return ErrChanged
	}
	if err := persistence.CheckSchema(m.Schema, m.Oldest); err != nil {
		return fmt.Errorf("%w (%w)", ErrNewer, err)
	}
	for _, f := range m.Files {
		switch f.Name {
		case data, keyName, demoName:
		default:
			return ErrChanged // only known names: an archive must not choose where it is written
		}
	}
	if err := r.replaceable(ctx); err != nil {
		return err
	}
	return room(r.dir, m.bytes())
}

// replaceable returns nil if nothing is in the way, or if Force replaces it. In Postgres a program
// can replace only the tables that it knows.
func (r *restoring) replaceable(ctx context.Context) error {
	if r.Store.DatabaseURL != "" {
		f, _ := persistence.Look(ctx, r.Store) // vacant returns the error
		if known := persistence.NewestSchema(); f.Schema > known {
			return fmt.Errorf("the Postgres database has schema %d, and this program knows the tables of schema %d only: "+
				"restore with the program that the database was upgraded by, then start this one", f.Schema, known)
		}
	}
	if err := r.vacant(ctx); !r.o.Force {
		return err
	}
	return nil
}

// vacant returns nil if nothing would be overwritten.
func (r *restoring) vacant(ctx context.Context) error {
	if r.Store.DatabaseURL != "" {
		f, err := persistence.Look(ctx, r.Store)
		if err == nil && f.Schema > 0 {
			err = fmt.Errorf("%w in the Postgres database; --force replaces them", ErrOccupied)
		}
		return err
	}
	for _, path := range []string{r.Store.Path, r.Store.Path + "-wal"} {
		if st, err := os.Stat(path); err == nil && st.Size() > 0 {
			return fmt.Errorf("%w in %s; --force sets them aside", ErrOccupied, path)
		}
	}
	return nil
}

// extract writes one file of the backup into the scratch directory.
func (r *restoring) extract(of File, in io.Reader) error {
	f, err := os.OpenFile(filepath.Join(r.scratch, of.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(&syncing{f: f}, &counter{r: in, total: of.Bytes, step: "reading", o: r.o})
	return errors.Join(err, f.Sync(), f.Close())
}

// check verifies the extracted files.
func (r *restoring) check(ctx context.Context, m Manifest) error {
	r.o.Progress("checking", 0, 0)
	if m.has(keyName) {
		key, err := os.ReadFile(filepath.Join(r.scratch, keyName))
		if err != nil {
			return err
		}
		if _, err := auth.ParseKeys(string(key)); err != nil {
			return fmt.Errorf("the backup's signing key: %w", err)
		}
		have, err := os.ReadFile(r.KeyPath)
		if err == nil && !bytes.Equal(have, key) && !r.o.Force {
			return fmt.Errorf("%w: another signing key in %s; --force sets it aside", ErrOccupied, r.KeyPath)
		}
	}
	if m.Engine != "sqlite" {
		return checkDump(ctx, r.Store, filepath.Join(r.scratch, postgresName), m)
	}
	c, err := persistence.CheckFile(ctx, filepath.Join(r.scratch, sqliteName))
	if err != nil {
		return err
	}
	if c.Schema != m.Schema || c.Oldest != m.Oldest || !maps.Equal(c.Rows, m.Rows) {
		return ErrChanged
	}
	return nil
}

// put moves the files to their places: the key first, because a server makes no database
// beside a key, but would make a key.
func (r *restoring) put(ctx context.Context, m Manifest) error {
	if err := r.replaceable(ctx); err != nil {
		return err // it was not so before the lock
	}
	if m.has(keyName) {
		if err := r.putKey(); err != nil {
			return err
		}
	}
	if m.has(demoName) {
		to := filepath.Join(r.DataDir, demoName)
		if err := errors.Join(r.setAside(to, to+".replaced-"+r.stamp), r.move(demoName, to)); err != nil {
			return err
		}
	}
	if m.Engine == "postgres" {
		return loadPostgres(ctx, r.Store, filepath.Join(r.scratch, postgresName), m, r.o)
	}
	// The old log goes first: beside another database it would be taken for that database's log.
	aside := r.Store.Path + ".replaced-" + r.stamp
	for _, end := range []string{"-wal", "-journal", ""} {
		if err := r.setAside(r.Store.Path+end, aside+end); err != nil {
			return err
		}
	}
	if err := os.Remove(r.Store.Path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := r.move(sqliteName, r.Store.Path); err != nil {
		return err
	}
	return outfile.SyncDir(r.dir)
}

// putKey leaves an identical key alone: its directory may not be writable.
func (r *restoring) putKey() error {
	key, err := os.ReadFile(filepath.Join(r.scratch, keyName))
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(r.KeyPath); err == nil && bytes.Equal(have, key) {
		return nil
	}
	dir := filepath.Dir(r.KeyPath)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".signing-key-*") // mode 0600; this may be another disk
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // renamed by then
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close(), ownAs(r.dir, f.Name())); err != nil {
		return err
	}
	if err := r.setAside(r.KeyPath, r.KeyPath+".replaced-"+r.stamp); err != nil {
		return err
	}
	if err := r.rename(f.Name(), r.KeyPath); err != nil {
		return err
	}
	return outfile.SyncDir(dir)
}

// setAside renames a file, if it exists.
func (r *restoring) setAside(path, to string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Size() == 0 {
		return os.Remove(path)
	}
	r.replaced = append(r.replaced, to)
	return r.rename(path, to)
}

// move moves a checked file to its place.
func (r *restoring) move(name, to string) error {
	from := filepath.Join(r.scratch, name)
	if err := ownAs(r.dir, from); err != nil {
		return err
	}
	return r.rename(from, to)
}

func (r *restoring) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	r.undo = append(r.undo, func() error { return os.Rename(to, from) })
	return nil
}

// back undoes put's steps, last first.
func (r *restoring) back() error {
	var errs []error
	for i := len(r.undo) - 1; i >= 0; i-- {
		errs = append(errs, r.undo[i]())
	}
	return errors.Join(errs...)
}
