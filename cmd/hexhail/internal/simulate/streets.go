package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand"
)

// OpenStreets returns what cars drive on: a map's file, an OpenStreetMap extract, of which it builds a map in
// memory, or a folder with a street graph, whose column of travel times decides.
func OpenStreets(ctx context.Context, path, column string) (*streets.Map, error) {
	about, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("streets: %w", err)
	}
	var m *streets.Map
	if about.IsDir() {
		m, err = openGraph(ctx, path, column)
	} else if m, err = streets.Load(path); errors.Is(err, streets.ErrNotMap) {
		open := func() (io.ReadCloser, error) { return os.Open(path) }
		m, err = streets.Build(ctx, open, streets.BuildOptions{Name: filepath.Base(path), Builder: "hexhail sim"})
	}
	if err != nil {
		return nil, fmt.Errorf("streets %s: %w", path, err)
	}
	return m, nil
}

func openGraph(ctx context.Context, dir, column string) (*streets.Map, error) {
	g, err := demand.ReadGraph(dir, column)
	if err != nil {
		return nil, err
	}
	return streets.FromGraph(ctx, g, streets.Meta{Source: filepath.Base(dir), Builder: "hexhail sim"})
}
