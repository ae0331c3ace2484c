// Package outfile gives finished files their names, so that no reader sees half of one and no file is
// replaced by mistake.
package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

var (
	// ErrExists means that the name is taken.
	ErrExists = errors.New("the file exists already; --force replaces it")
	// ErrNotSynced means that the file has its name, but a power cut may take that away.
	ErrNotSynced = errors.New("the file is written, but its directory cannot be synced")
)

// Free returns an error that wraps ErrExists if the path is taken, unless force says to replace what
// is there. Only a regular file is ever replaced: a link, a pipe or a device is there for others.
func Free(path string, force bool) error {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case st.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: - writes to standard output", path)
	case !force:
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	return nil
}

// link is os.Link; tests put another in its place.
var link = os.Link

// Publish moves a complete file to a path in the same directory. Its contents must be on disk; when
// Publish returns, its name is too. Without force it replaces nothing, not even what came a moment
// before: the error then wraps ErrExists. When it fails, the caller removes partial if it is still
// there: it is not if the error wraps ErrNotSynced.
func Publish(partial, path string, force bool) error {
	if err := Free(path, force); err != nil {
		return err
	}
	if err := move(partial, path, force); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSynced, err)
	}
	return nil
}

func move(partial, path string, force bool) error {
	if force {
		return os.Rename(partial, path)
	}
	switch err := link(partial, path); {
	case err == nil:
		return os.Remove(partial)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	// This file system may have no links: an empty file of ours then holds the name.
	held, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	if err != nil {
		return err
	}
	if err = errors.Join(held.Close(), os.Rename(partial, path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// SyncDir makes the names in a directory durable, where the file system leaves that to programs.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
