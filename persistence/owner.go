package persistence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrOwned says that another server uses the same database.
var ErrOwned = errors.New("another Hexhail server uses this database")

// ownerTry is the time between two attempts to become the owner.
const ownerTry = 50 * time.Millisecond

// owner is the lock that makes a server the only one on its database, or a cluster's servers
// the only ones. It dies with the process, however that ends.
type owner interface {
	// lost says why the lock is not held at the moment; nil: it is.
	lost() error
	// release gives the lock back. It is called once.
	release() error
}

// alone are the options of work that needs the database to itself: no server, no cluster.
func (o Options) alone() Options {
	o.Own, o.Member = true, false
	return o
}

// takeOwner takes the owner's lock, or returns ErrOwned with the name of the owner.
func takeOwner(ctx context.Context, o Options) (owner, error) {
	if o.DatabaseURL != "" {
		return ownPostgres(ctx, o)
	}
	return ownFile(ctx, o.Path, o.OwnerPatience)
}

// fileOwner locks a file beside the database and, where the system can, the directory, so
// that removing the file does not let another server in. The database's own file will not do: SQLite locks
// ranges of it, which some systems do not tell from locks of the whole.
type fileOwner struct{ dir, file *flock.Flock }

func ownFile(ctx context.Context, path string, patience time.Duration) (owner, error) {
	if path == "" {
		return nil, errors.New("lock the database: no path given")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	real, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	path = real + ".owner"
	f := fileOwner{
		dir:  flock.New(filepath.Dir(path), flock.SetFlag(os.O_RDONLY)),
		file: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600)),
	}
	deadline := time.Now().Add(patience)
	for {
		ours, err := f.try()
		switch {
		case err != nil:
			return nil, fmt.Errorf("lock the database: %w", err)
		case ours:
			return f, nil
		case time.Now().After(deadline):
			return nil, fmt.Errorf("%w (%s): stop it first, or give this one another data directory", ErrOwned, ownerOf(path))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(ownerTry):
		}
	}
}

// realPath is the file that is really meant, under any name and through any link: SQLite
// puts its log beside it, too. It need not exist yet, but its directory must.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// try takes both locks, or neither, and signs the file. A file system that locks no
// directories makes do with the file.
func (f fileOwner) try() (bool, error) {
	if ours, err := f.dir.TryLock(); err == nil && !ours {
		return false, nil
	}
	ours, err := f.file.TryLock()
	if !ours || err != nil {
		return false, errors.Join(err, f.dir.Unlock())
	}
	_ = sign(f.file.Path()) // for messages alone; the lock holds without
	return true, nil
}

// sign writes over what the file held before, so that readers never find it empty.
func sign(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%d\n%s\n%s\n", os.Getpid(), hostname(), time.Now().UTC().Format(time.RFC3339))
	_, err = file.WriteAt([]byte(text), 0)
	return errors.Join(err, file.Truncate(int64(len(text))), file.Close())
}

func (f fileOwner) lost() error { return nil }

// release leaves the file: one that is removed may be locked by two, each its own.
func (f fileOwner) release() error { return errors.Join(f.file.Unlock(), f.dir.Unlock()) }

// ownerOf names the process that holds a lock, for messages alone.
func ownerOf(path string) string {
	b, err := os.ReadFile(path)
	lines := strings.Split(string(b), "\n")
	if err != nil || len(lines) < 3 {
		return "its pid is unknown"
	}
	if _, err := strconv.Atoi(lines[0]); err != nil {
		return "its pid is unknown"
	}
	name := "pid " + lines[0]
	if lines[1] != hostname() {
		name += " on " + lines[1] // another container, or another machine on a shared disk
	}
	return name + ", since " + lines[2]
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "an unnamed machine"
	}
	return name
}
