// Package manhattan holds the streets of Manhattan as of 26 October 2019, an extract of OpenStreetMap of
// 449 kB: © OpenStreetMap contributors, under the Open Database Licence 1.0; see NOTICE at the top of
// the repository. Import it only where the extract is needed: it is part of every program that does. Beside it lies
// the shoreline, which the extract does not have.
package manhattan

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

// Name is the extract's file name.
const Name = "manhattan_20191026.osm.pbf"

//go:embed manhattan_20191026.osm.pbf
var extract []byte

// reader is a reader whose size is known.
type reader struct{ *bytes.Reader }

// Close implements io.Closer.
func (reader) Close() error { return nil }

// Open returns the extract from its beginning. It never fails; its form is what streets.Build takes.
func Open() (io.ReadCloser, error) { return reader{bytes.NewReader(extract)}, nil }

//go:embed shoreline.geojson.gz
var shoreline []byte

// Shoreline returns the land around Manhattan as GeoJSON; its form is what streets.ReadShoreline takes. What the
// reader returns is never an error.
func Shoreline() io.Reader {
	r, err := gzip.NewReader(bytes.NewReader(shoreline))
	if err != nil { // it is part of the program
		panic(err)
	}
	return r
}
