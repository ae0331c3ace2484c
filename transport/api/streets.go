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
	south, west, north, east := meta.Box.Degrees()
	return &streetsView{
		ID: m.ID(), Attribution: meta.Attribution, CreditURL: creditURL,
		Bounds: boundsView{South: south, West: west, North: north, East: east},
	}
}
