package api

import (
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/transport/tiles"
)

// creditURL is where the attribution of a map leads.
const creditURL = tiles.CreditURL

// streets is the city's map, nil if there is none.
func (a *API) streets() *streets.Map {
	if a.deps.Streets == nil {
		return nil
	}
	return a.deps.Streets.Map()
}

func (a *API) streetsView() *streetsView {
	m := a.streets()
	if m == nil {
		return nil
	}
	meta := m.Meta()
	degrees := func(e7 int32) float64 { return float64(e7) / 1e7 }
	return &streetsView{
		ID: m.ID(), Attribution: meta.Attribution, CreditURL: creditURL,
		Bounds: boundsView{South: degrees(meta.Box.South), West: degrees(meta.Box.West), North: degrees(meta.Box.North), East: degrees(meta.Box.East)},
	}
}
