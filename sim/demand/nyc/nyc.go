// Package nyc is an hour of Manhattan, embedded for demonstrations: the yellow-taxi trips with both
// ends in Manhattan that began on Monday 2013-11-18 from 16:00 to 17:00, and where and when the
// taxis of that hour became free. The data are public trip records of New York City's Taxi and
// Limousine Commission; taxis are renumbered.
package nyc

import (
	"bytes"
	"compress/gzip"
	_ "embed" // of the two files
	"errors"
	"fmt"

	"github.com/hexhail/hexhail/sim/demand"
)

//go:embed requests.csv.gz
var requests []byte

//go:embed taxis.csv.gz
var taxis []byte

//go:embed places.csv
var places []byte

// Manhattan is the box around the embedded hour, without the other boroughs' shores.
var Manhattan = demand.Area{South: 40.70, West: -74.02, North: 40.83, East: -73.92}

// The place's name and its IANA time zone.
const (
	Name     = "Manhattan"
	TimeZone = "America/New_York"
)

// Peak returns the requests of the hour, by time, and the drivers' starts.
func Peak(f demand.Filter) ([]demand.Request, []demand.Taxi, error) {
	qs, err := read(requests, func(z *gzip.Reader) ([]demand.Request, error) { return demand.ReadRequests(z, f) })
	if err != nil {
		return nil, nil, err
	}
	ts, err := read(taxis, func(z *gzip.Reader) ([]demand.Taxi, error) { return demand.ReadTaxis(z, f) })
	return qs, ts, err
}

// Places are some well-known places in that box, to about a hundred metres, so that people
// without a map of streets know where they are.
func Places() (demand.Gazetteer, error) {
	g, err := demand.ReadPlaces(bytes.NewReader(places))
	if err != nil {
		return demand.Gazetteer{}, fmt.Errorf("embedded places: %w", err)
	}
	return g, nil
}

func read[T any](file []byte, with func(*gzip.Reader) (T, error)) (T, error) {
	var none T
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return none, fmt.Errorf("embedded demand: %w", err)
	}
	out, err := with(z)
	return out, errors.Join(err, z.Close())
}

// Files are the two files of the hour as they are embedded: gzipped CSV, with all their columns.
func Files() (requestsGz, taxisGz []byte) { return bytes.Clone(requests), bytes.Clone(taxis) }
