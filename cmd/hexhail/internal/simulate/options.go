// Package simulate runs simulated cities for the command line: it turns flags into a city, shows
// its progress and prints the result.
package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
)

// Options are the flags that every simulated city has.
type Options struct {
	Duration time.Duration `help:"Real time after which to end. 0: when all requests have ended, or never if they are endless."`
	Speed    float64       `help:"Simulated seconds per real second. 0: 1, for demo 40."`
	Seed     uint64        `default:"1" help:"Seed of all intentions: the same seed gives the same intentions."`
	Drivers  int           `help:"Number of drivers. 0: all in the file, for demo 800. Further ones are copies nearby."`
	Riders   int           `help:"Maximum number of rider accounts; further requests wait for a free one. 0: as many as needed."`
	Headless bool          `help:"Print plain lines instead of drawing on the terminal."`
	Report   string        `placeholder:"FILE" help:"Write the report to this file as JSON."`
	Record   string        `placeholder:"FILE" help:"Write the history of calls and answers to this file, for hexhail sim check."`
	Encoding string        `default:"proto" enum:"proto,json,both" help:"Encoding of the clients: ${enum} (alternating)."`
	Verify   int           `default:"50" help:"Number of ended trips, and of live ones, to read over HTTP at the end, for comparison."`

	Share             float64       `help:"Share of the requests to use, 0 to 1. 0: all, for demo as many as the drivers can carry."`
	RequestsPerMinute float64       `help:"Requests per simulated minute, endlessly, between places of the file, instead of the file's times."`
	Origin            time.Time     `placeholder:"TIME" help:"Time (RFC 3339) from which --from and --to count in files with absolute times. Default: the first time in each file."`
	From              time.Duration `help:"Skip everything earlier in the file."`
	To                time.Duration `help:"Skip everything later in the file."`
	Area              string        `placeholder:"S,W,N,E" help:"Skip everything outside this area, in degrees of latitude and longitude."`
	Traces            string        `placeholder:"FILE" help:"Recorded positions of a fleet (unix, cab, lat, lng), which idle drivers follow."`
	DrivingSpeed      float64       `default:"16" help:"Road speed on straight lines, in km/h, without a map."`
	Detour            float64       `default:"1.4" help:"Ratio of road distance to straight-line distance, without a map."`
	TripInterval      time.Duration `default:"1s" help:"Real time between two positions of a driver with a trip."`
	IdleInterval      time.Duration `default:"3s" help:"Real time between two positions of a driver without one."`

	// Streets are what cars drive on; nil: straight lines.
	Streets *streets.Map `kong:"-"`

	Accept      float64       `default:"0.85" help:"Probability that a driver accepts an offer."`
	Decline     float64       `default:"0.1" help:"Probability that a driver declines; the remaining offers are ignored."`
	Reply       time.Duration `default:"4s" help:"Median time in which a driver decides, simulated."`
	Patience    time.Duration `default:"6m" help:"Median time that a rider waits for a match, simulated."`
	GiveBack    float64       `default:"0.01" help:"Probability that a driver gives a trip back."`
	RiderCancel float64       `default:"0.02" help:"Probability that a rider cancels after the match."`
	DriveSpread float64       `default:"0.1" help:"How far the times of drives spread around those of the map or of --driving-speed: the standard deviation of their logarithm."`
	Cruise      float64       `default:"0.5" help:"Probability that an idle driver cruises instead of waiting."`
	Losses      float64       `default:"0.5" help:"Lost connections per client and simulated hour."`
	Outage      time.Duration `default:"30s" help:"Mean duration of a lost connection, simulated."`
}

func (o *Options) behaviour() city.Behaviour {
	b := city.DefaultBehaviour()
	b.Accept, b.Decline, b.Reply, b.Patience = o.Accept, o.Decline, o.Reply, o.Patience
	b.DriveSpread = o.DriveSpread
	b.GiveBack, b.RiderCancel, b.Cruise, b.Losses, b.Outage = o.GiveBack, o.RiderCancel, o.Cruise, o.Losses, o.Outage
	return b
}

func (o *Options) codecs() []wire.Codec {
	switch o.Encoding {
	case "json":
		return []wire.Codec{wire.JSON}
	case "both":
		return []wire.Codec{wire.Binary, wire.JSON}
	}
	return []wire.Codec{wire.Binary}
}

// The maximum values of some flags.
const (
	maxSpeed     = 10_000
	maxPerMinute = 1e6
	maxDrivers   = 1_000_000
)

// check reports invalid flags, and fills in the command's defaults.
func (o *Options) check() error {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Share == 0 {
		o.Share = 1
	}
	switch {
	case !(o.Speed > 0 && o.Speed <= maxSpeed):
		return errors.New("--speed must be above 0 and at most 10000")
	case !(o.Share > 0 && o.Share <= 1):
		return errors.New("--share must be above 0 and at most 1")
	case !(o.DrivingSpeed > 0 && o.DrivingSpeed <= 300) || !(o.Detour >= 1 && o.Detour <= 10):
		return errors.New("--driving-speed must be above 0 and at most 300, --detour from 1 to 10")
	case o.Drivers > maxDrivers || o.RequestsPerMinute > maxPerMinute:
		return errors.New("--drivers and --requests-per-minute go up to a million")
	case o.Drivers < 0 || o.Riders < 0 || o.Verify < 0 || !(o.RequestsPerMinute >= 0) || o.Duration < 0:
		return errors.New("numbers must not be negative")
	}
	return nil
}

// Filter returns the filter of requests and drivers that the flags describe.
func (o *Options) Filter() (demand.Filter, error) {
	f := demand.Filter{From: o.From, To: o.To, Origin: o.Origin}
	if o.Area == "" {
		return f, nil
	}
	parts := strings.Split(o.Area, ",")
	if len(parts) != 4 {
		return f, fmt.Errorf("--area needs four numbers: south,west,north,east")
	}
	var x [4]float64
	for i, p := range parts {
		var err error
		if x[i], err = strconv.ParseFloat(strings.TrimSpace(p), 64); err != nil {
			return f, fmt.Errorf("--area: %q is not a number", p)
		}
	}
	f.Area = demand.Area{South: x[0], West: x[1], North: x[2], East: x[3]}
	if f.Area.South >= f.Area.North || f.Area.West >= f.Area.East {
		return f, fmt.Errorf("--area must go from south to north and from west to east")
	}
	return f, nil
}

// router returns the router for cars.
func (o *Options) router() city.Router {
	if o.Streets == nil {
		return city.Straight{SpeedMPS: o.DrivingSpeed / 3.6, Detour: o.Detour}
	}
	return city.Streets{Map: o.Streets}
}

// Demand is the requests and the drivers.
type Demand struct {
	Requests []demand.Request
	Taxis    []demand.Taxi
	// Period, if not 0, is the time after which the requests repeat.
	Period time.Duration
}

// source returns the stream of requests that the flags describe.
func (o *Options) source(d Demand) (city.Source, error) {
	all := demand.Sample(d.Requests, o.Share, o.Seed)
	switch {
	case len(all) == 0:
		return nil, errors.New("there are no requests in that time and area")
	case o.RequestsPerMinute > 0:
		return demand.NewStream(all, o.RequestsPerMinute, o.Seed), nil
	case d.Period > 0:
		return demand.NewLoop(all, d.Period), nil
	}
	return demand.NewList(all), nil
}

// fleet returns the drivers that the flags describe, and the traces that they follow.
func (o *Options) fleet(d Demand) ([]demand.Taxi, []demand.Trace, error) {
	if o.Traces == "" {
		return demand.Fleet(d.Taxis, o.Drivers, o.Seed), nil, nil
	}
	f, err := o.Filter()
	if err != nil {
		return nil, nil, err
	}
	traces, err := demand.ReadFile(o.Traces, func(r io.Reader) ([]demand.Trace, error) { return demand.ReadTraces(r, f) })
	if err != nil {
		return nil, nil, err
	}
	if o.Drivers > 0 && o.Drivers < len(traces) {
		traces = traces[:o.Drivers]
	}
	taxis := make([]demand.Taxi, len(traces))
	for i, t := range traces {
		taxis[i] = demand.Taxi{ID: t.Cab, From: t.Fixes[0].At, At: t.Fixes[0].Point}
	}
	return taxis, traces, nil
}

// shifts refuses a run without drivers, because all their shifts begin later.
func (o *Options) shifts(d Demand, taxis []demand.Taxi) error {
	if len(taxis) == 0 {
		return nil // the city refuses that
	}
	end := time.Duration(math.MaxInt64)
	if o.Duration > 0 {
		end = time.Duration(min(float64(o.Duration)*o.Speed, math.MaxInt64/2))
	}
	if d.Period == 0 && o.RequestsPerMinute == 0 {
		end = min(end, d.Requests[len(d.Requests)-1].At+10*o.Patience) // no rider waits longer
	}
	first := slices.MinFunc(taxis, func(a, b demand.Taxi) int { return cmp.Compare(a.From, b.From) }).From
	if first < end {
		return nil
	}
	return fmt.Errorf("this run has no drivers: the first of %d begins after %s, but the run ends after %s of simulated time; "+
		"see --from, --origin, --drivers and --duration", len(taxis), first.Round(time.Second), end.Round(time.Second))
}

// create creates a file that a flag names.
func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // a report is not secret, and the operator names it
}
