package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/citymap"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand"
)

// OpenStreets returns what cars drive on: a map's file, an OpenStreetMap extract, of which it builds a map in
// memory, or a folder with a street graph, whose column of travel times decides.
func OpenStreets(ctx context.Context, path, column string) (*streets.Map, error) {
	m, err := open(ctx, path, column)
	if err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			err = p.Err // the sentence begins with the path
		}
		return nil, fmt.Errorf("streets %s: %w", path, err)
	}
	return m, nil
}

func open(ctx context.Context, path, column string) (*streets.Map, error) {
	if about, err := os.Stat(path); err == nil && about.IsDir() {
		return openGraph(ctx, path, column)
	}
	extract, _, err := citymap.IsExtract(path)
	switch {
	case err != nil:
		return nil, err
	case !extract:
		return streets.Load(path)
	}
	return streets.Build(ctx, citymap.Opener(path), streets.BuildOptions{Name: filepath.Base(path), Builder: builder})
}

// builder is who builds maps that only cars use.
const builder = "hexhail sim"

func openGraph(ctx context.Context, dir, column string) (*streets.Map, error) {
	g, err := demand.ReadGraph(dir, column)
	if err != nil {
		return nil, err
	}
	return streets.FromGraph(ctx, g, streets.Meta{Source: filepath.Base(dir), Builder: builder})
}
