package demand_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hexhail/hexhail/sim/demand"
)

// No file makes a reader panic, and every error wraps ErrFormat.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{
		"", "\"", "t_s,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng\n1,40.7,-73.9,40.8,-73.9\n",
		"time,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng,passengers\n2026-01-01T00:00:00Z,1,1,2,2,9\n",
		"taxi,lat,lng,avail_s\na,40,-73,-3600\nb,40,-73,1e300\n", "node,lat,lng\n1,40,-73\n",
		"from,to,t12\n1,2,3.5\n1,2,Inf\n", "unix,cab,lat,lng,occupied\n1212735600,1,37.7,-122.4,1\n", "lat,lat\n1\n", "lat,lng\n91,0\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err1 := demand.ReadRequests(bytes.NewReader(b), demand.Filter{})
		_, err2 := demand.ReadTaxis(bytes.NewReader(b), demand.Filter{})
		_, err3 := demand.ReadTraces(bytes.NewReader(b), demand.Filter{})
		nodes, err4 := demand.ReadNodes(bytes.NewReader(b))
		_, err5 := demand.ReadEdges(bytes.NewReader(b), nodes, "t12")
		_, err6 := demand.ReadPlaces(bytes.NewReader(b))
		for _, err := range []error{err1, err2, err3, err4, err5, err6} {
			if err != nil && !errors.Is(err, demand.ErrFormat) {
				t.Errorf("%v is not an ErrFormat", err)
			}
		}
	})
}
