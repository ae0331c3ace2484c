// Command truth compares routes and travel times of Manhattan's streets with metered trips:
//
//	go run ./cmd/hexhail/internal/testbench/truth --data DIR
//
// DIR holds the trips, which may not be shipped; docs/benchmarks/streets.md says where they are from. What
// is learned is learned on trips with an even number and judged on those with an odd one. The command
// fails if a goal is missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// The files in the folder of data.
const (
	tripsFile = "nyc_newyear_20130101_00h_trips.csv.gz"
	shoreFile = "nyc_boroughs.geojson.gz"
	borough   = "Manhattan"
)

func main() {
	data := flag.String("data", "", "folder with "+tripsFile+" and "+shoreFile)
	flag.Parse()
	met, err := run(context.Background(), os.Stdout, *data)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "truth:", err)
		os.Exit(2)
	case !met:
		os.Exit(1)
	}
}

// run prints the comparison and says whether every goal is met.
func run(ctx context.Context, out io.Writer, data string) (met bool, err error) {
	m, err := streets.Build(ctx, manhattan.Open, streets.BuildOptions{Name: manhattan.Name, Builder: "truth"})
	if err != nil {
		return false, fmt.Errorf("build the map: %w", err)
	}
	shore, err := readShore(filepath.Join(data, shoreFile))
	if err != nil {
		return false, err
	}
	all, seen, err := readTrips(filepath.Join(data, tripsFile), shore)
	if err != nil {
		return false, err
	}
	trips, err := route(ctx, m, all)
	if err != nil {
		return false, err
	}
	if len(trips) < 20 {
		return false, fmt.Errorf("only %d trips are usable", len(trips))
	}
	fmt.Fprintf(out, "%d trips; %d begin and end on the shore of %s; %d of them lie within %d m of a street and were metered at %d m or more.\n",
		seen, len(all), borough, len(trips), snapM, meterM)
	return judge(ctx, out, m, trips)
}
