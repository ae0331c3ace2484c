// Package citymap keeps a server's map of the city: it reads the file that the operator names, builds
// the map where that is an extract, and puts a new one in its place while the server runs.
package citymap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// sized is a file that knows its size, for the progress.
type sized struct {
	*os.File
	size int64
}

// Size returns the size in bytes.
func (s sized) Size() int64 { return s.size }

// Opener opens an extract from its beginning, as often as a build needs it.
func Opener(path string) streets.Open {
	return func() (io.ReadCloser, error) { return open(path) }
}

func open(path string) (sized, error) {
	f, err := os.Open(path)
	if err != nil {
		return sized{}, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err != nil {
		f.Close()
		return sized{}, err
	}
	return sized{f, info.Size()}, nil
}

// ErrForeign means that a file is neither a map nor an extract.
var ErrForeign = errors.New("this is neither a map of hexhail streets build nor an OpenStreetMap extract in PBF format")

// IsExtract reports what a file is, by its content: an extract, or a map. The error wraps ErrForeign or
// the file system's.
func IsExtract(path string) (bool, pbf.Header, error) {
	f, err := open(path)
	if err != nil {
		return false, pbf.Header{}, err
	}
	defer f.Close()
	begin := make([]byte, 16)
	n, err := io.ReadFull(f, begin)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, pbf.Header{}, err
	case streets.IsMap(begin[:n]):
		return false, pbf.Header{}, nil
	}
	h, err := pbf.ReadHeader(io.MultiReader(bytes.NewReader(begin[:n]), f))
	if errors.Is(err, pbf.ErrNotPBF) {
		_, more, _ := strings.Cut(err.Error(), pbf.ErrNotPBF.Error())
		return false, h, fmt.Errorf("%w%s", ErrForeign, more)
	}
	return err == nil, h, err
}

// read returns the map of the file, built if it is an extract.
func (k *Keeper) read(ctx context.Context) (*streets.Map, error) {
	if k.o.File == "" {
		return k.o.BuiltIn(ctx)
	}
	m, err := k.readFile(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.o.File, err)
	}
	return m, nil
}

func (k *Keeper) readFile(ctx context.Context) (*streets.Map, error) {
	extract, _, err := IsExtract(k.o.File)
	switch {
	case err != nil:
		return nil, shortened(err)
	case !extract:
		return streets.Load(k.o.File)
	}
	kept, err := k.keptName()
	if err != nil {
		return nil, shortened(err)
	}
	if m, err := streets.Load(kept); err == nil {
		return m, nil
	}
	k.o.Log.Info("building the map", "extract", k.o.File)
	m, err := streets.Build(ctx, Opener(k.o.File), streets.BuildOptions{
		Name: filepath.Base(k.o.File), Builder: k.o.Builder, Progress: k.progress(),
	})
	if err != nil {
		return nil, shortened(err)
	}
	if err := k.keep(m, kept); err != nil {
		k.o.Log.Warn("the map cannot be kept: the next start builds it again", "error", err)
	}
	return m, nil
}

// shortened leaves out the path, which the sentence begins with.
func shortened(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// mapExtension ends the names of maps.
const mapExtension = ".hxst"

// keptName is where the map of this extract is kept. It changes with the extract and the program, so
// that the same one is built once.
func (k *Keeper) keptName() (string, error) {
	info, err := os.Stat(k.o.File)
	if err != nil {
		return "", err
	}
	of := fmt.Sprintf("%s\n%d\n%d\n%s", filepath.Base(k.o.File), info.Size(), info.ModTime().UnixNano(), k.o.Builder)
	sum := sha256.Sum256([]byte(of))
	return filepath.Join(k.o.Dir, hex.EncodeToString(sum[:8])+mapExtension), nil
}

// keep saves a map that was built and removes those of earlier extracts.
func (k *Keeper) keep(m *streets.Map, path string) error {
	if err := os.MkdirAll(k.o.Dir, 0o700); err != nil {
		return err
	}
	if err := m.Save(path); err != nil {
		return err
	}
	all, err := os.ReadDir(k.o.Dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range all {
		if e.Type().IsRegular() && e.Name() != filepath.Base(path) && strings.Contains(e.Name(), mapExtension) {
			errs = append(errs, os.Remove(filepath.Join(k.o.Dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
