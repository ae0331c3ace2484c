package streets

import (
	"context"

	"github.com/hexhail/hexhail/geo/streets/ch"
)

// BuildOptions are what a build needs beside the extract.
type BuildOptions struct {
	Name      string     // of the extract, for Meta.Source
	Builder   string     // program and version, for Meta.Builder
	Area      *Area      // what to cut out; nil: everything
	Shoreline *Shoreline // land and water; nil: the extract's coast, if it has one
	Progress  Progress   // may be nil
}

// Build makes a map of an OpenStreetMap extract, with DefaultModel. The same extract, options and
// program give the same map, byte for byte. It runs in the calling goroutine: less than a second for a
// borough, about a minute for 500,000 junctions. The error wraps ErrNoRoads, ErrTooLarge, one of
// pbf's, the error of open or of its reader, or the context's.
func Build(ctx context.Context, open Open, o BuildOptions) (*Map, error) {
	x, err := readExtract(ctx, open, o.Area, o.Progress)
	if err != nil {
		return nil, err
	}
	meta := Meta{
		Source: o.Name, Origin: x.header.Source, Date: x.header.Timestamp, Builder: o.Builder,
		Licence: Licence, LicenceURL: LicenceURL, Attribution: Attribution,
	}
	box := Box{South: x.header.South, West: x.header.West, North: x.header.North, East: x.header.East}
	if o.Area != nil {
		box = o.Area.Box
	}
	ground, shore := x.ground.made(box, o.Shoreline, &x.report)
	x.ground = groundReader{}
	g, report, err := graphOfExtract(x)
	if err != nil {
		return nil, err
	}
	meta.Report, meta.Box, meta.Shore = report, g.box, shore
	progress := func(done, total int) {
		if o.Progress != nil {
			o.Progress(stepRoutes, int64(done), int64(total))
		}
	}
	ways, err := ch.Build(ctx, len(g.nodes), g.arcs(), ch.Options{Progress: progress})
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it did
	}
	return newMap(identity(tableOf(sectionsOf(meta, g, ground, ways))), meta, g, ground, ways, DefaultModel()), nil
}

// graphOfExtract makes the graph. It uses up x, whose ways and nodes are half of a large city's memory.
func graphOfExtract(x *extract) (*graph, Report, error) {
	n, err := networkOf(x)
	if err != nil {
		return nil, Report{}, err
	}
	x.ways, x.refs, x.nodes = nil, nil, nodes{} // memory for what follows
	n.keepLargest()
	n.fix(x.restrictions)
	n.join()
	g, err := graphOf(n, x.restrictions, x)
	return g, x.report, err
}
