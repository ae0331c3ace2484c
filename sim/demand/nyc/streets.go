package nyc

import (
	"context"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// Model is how fast cars drive in Manhattan: what metered trips of a New York night took, as benchmarks/streets.md
// learns it, with the speeds of rare kinds of roads between those of their neighbours.
func Model() streets.Model {
	m := streets.DefaultModel()
	m.Ride, m.Signal = 56*time.Second, 3500*time.Millisecond
	for road, kmh := range map[streets.Road]float64{
		streets.Motorway: 46, streets.Trunk: 46, streets.Primary: 35, streets.Secondary: 26, streets.Tertiary: 20,
		streets.Unclassified: 15, streets.Residential: 15, streets.LivingStreet: 10, streets.MotorwayLink: 35, streets.TrunkLink: 35,
		streets.PrimaryLink: 26, streets.SecondaryLink: 20, streets.TertiaryLink: 15, streets.Service: 10,
	} {
		m.Kmh[road] = kmh
	}
	return m
}

// Streets builds a map of Manhattan's streets as of 2019, which takes a third of a second. The builder is the program
// and its version. The error is the context's.
func Streets(ctx context.Context, builder string) (*streets.Map, error) {
	shore, err := streets.ReadShoreline(manhattan.Shoreline())
	if err != nil {
		return nil, fmt.Errorf("the built-in shoreline: %w", err)
	}
	m, err := streets.Build(ctx, manhattan.Open, streets.BuildOptions{Name: manhattan.Name, Builder: builder, Shoreline: shore})
	if err != nil {
		return nil, fmt.Errorf("streets of Manhattan: %w", err)
	}
	return m.WithModel(Model())
}
