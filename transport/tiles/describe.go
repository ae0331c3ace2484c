package tiles

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/hexhail/hexhail/geo/streets"
)

// Credit is the attribution of a map as HTML: its text, linked to where it leads.
func Credit(m *streets.Map) string {
	return `<a href="` + CreditURL + `" target="_blank" rel="noopener">` + m.Meta().Attribution + `</a>`
}

// CreditURL is where the attribution leads.
const CreditURL = "https://www.openstreetmap.org/copyright"

// Version names the tiles of a map: it changes when any of them may.
func Version(m *streets.Map) string { return m.ID() + "-" + strconv.Itoa(streets.TileVersion) }

// TileSource describes tiles as TileJSON 3.0 does (https://github.com/mapbox/tilejson-spec).
type TileSource struct {
	TileJSON     string      `json:"tilejson" enum:"3.0.0"`
	Name         string      `json:"name"`
	Version      string      `json:"version" doc:"Of the tiles' contents."`
	Scheme       string      `json:"scheme" enum:"xyz"`
	Tiles        []string    `json:"tiles" nullable:"false" doc:"The tiles' addresses."`
	MinZoom      int         `json:"minzoom"`
	MaxZoom      int         `json:"maxzoom" doc:"Closer views enlarge these tiles."`
	Bounds       [4]float64  `json:"bounds" nullable:"false" doc:"West, south, east, north in degrees."`
	Center       [3]float64  `json:"center" nullable:"false" doc:"Longitude, latitude, zoom."`
	Attribution  string      `json:"attribution" doc:"HTML that must be shown with the map."`
	License      string      `json:"license" doc:"SPDX identifier of the data's licence."`
	VectorLayers []TileLayer `json:"vector_layers" nullable:"false"`
}

// TileLayer describes a layer of tiles.
type TileLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"`
}

// SourceOf describes the tiles of a map; base is the server's URL, without a slash at the end.
func SourceOf(m *streets.Map, base string) TileSource {
	box := m.Meta().Box
	if shore := m.Meta().Shore; shore != nil { // the land beyond the streets is worth seeing, too
		box.South, box.West = min(box.South, shore.South), min(box.West, shore.West)
		box.North, box.East = max(box.North, shore.North), max(box.East, shore.East)
	}
	south, west, north, east := m.Meta().Box.Degrees()
	s := TileSource{
		TileJSON: "3.0.0", Name: "Streets", Version: "1." + strconv.Itoa(streets.TileVersion) + ".0", Scheme: "xyz",
		Tiles: []string{base + "/v1/tiles/{z}/{x}/{y}.mvt?v=" + Version(m)}, MaxZoom: streets.MaxZoom, Bounds: bounds(box),
		Center:      [3]float64{(west + east) / 2, (south + north) / 2, 12},
		Attribution: Credit(m), License: m.Meta().Licence,
	}
	kind := map[string]string{"kind": "String"}
	for _, l := range []TileLayer{
		{ID: "earth", Description: "Land, where the shore is known", Fields: kind},
		{ID: "landuse", Description: "Parks, woods and other areas", Fields: kind},
		{ID: "water", Description: "Rivers and lakes", Fields: kind},
		{ID: "roads", Description: "Streets", MinZoom: 5, Fields: map[string]string{
			"kind": "String", "kind_detail": "String", "name": "String", "oneway": "String", "sort_rank": "Number", "min_zoom": "Number",
			"is_bridge": "Boolean", "is_tunnel": "Boolean", "is_link": "Boolean",
		}},
	} {
		l.MaxZoom = streets.MaxZoom
		if l.ID != "earth" || m.Meta().Shore != nil {
			s.VectorLayers = append(s.VectorLayers, l)
		}
	}
	return s
}

func bounds(b streets.Box) [4]float64 {
	south, west, north, east := b.Degrees()
	return [4]float64{west, south, east, north}
}

// Scheme says whether a style is light or dark.
type Scheme string

// The schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

//go:embed style.json
var styleTemplate string

// palettes are the colours of the schemes.
var palettes = map[Scheme]map[string]string{
	Light: {
		"water": "#cfe3e8", "land": "#f5f3ee", "park": "#dbe9d0", "wood": "#d3e3c9", "pitch": "#cfe3c6", "cemetery": "#dfe5d6", "beach": "#f2e9d0", "square": "#ebe7de",
		"minor": "#ffffff", "minorCase": "#e2ddd2", "service": "#fbfaf7", "major": "#ffffff", "majorCase": "#d5cebf", "highway": "#fbe8c2", "highwayCase": "#dfc48d",
		"path": "#cfc7b8", "tunnel": "#eeebe4", "name": "#5b6462", "halo": "#ffffff", "quiet": "#7b8482",
	},
	Dark: {
		"water": "#0b2a33", "land": "#10181b", "park": "#13251e", "wood": "#12221b", "pitch": "#162a22", "cemetery": "#15211d", "beach": "#1c211c", "square": "#172024",
		"minor": "#28353b", "minorCase": "#141d21", "service": "#212c31", "major": "#36454c", "majorCase": "#0d1417", "highway": "#4d4a3c", "highwayCase": "#15180f",
		"path": "#3a484e", "tunnel": "#1d272c", "name": "#b3c0c4", "halo": "#0c1316", "quiet": "#8c9ba0",
	},
}

// StyleOf returns a style for MapLibre as JSON; base is as in SourceOf. There is no glyph server: names are drawn with fonts
// of the client's device, or not at all, and the metadata say so.
func StyleOf(m *streets.Map, scheme Scheme, base string) ([]byte, error) {
	palette, ok := palettes[scheme]
	if !ok {
		return nil, fmt.Errorf("no scheme %q", scheme)
	}
	ground := palette["land"] // never a flooded city
	if m.Meta().Shore != nil {
		ground = palette["water"]
	}
	source := SourceOf(m, base)
	pairs := []string{"$ground", ground}
	for name, colour := range palette {
		pairs = append(pairs, `"$`+name+`"`, `"`+colour+`"`)
	}
	var style map[string]any
	if err := json.Unmarshal([]byte(strings.NewReplacer(pairs...).Replace(styleTemplate)), &style); err != nil {
		return nil, fmt.Errorf("the style: %w", err)
	}
	style["sources"] = map[string]any{"streets": map[string]any{
		"type": "vector", "tiles": source.Tiles, "maxzoom": source.MaxZoom, "bounds": source.Bounds, "attribution": source.Attribution,
	}}
	style["center"], style["zoom"] = source.Center[:2], source.Center[2]
	style["metadata"] = map[string]any{
		"hexhail:scheme": scheme, "hexhail:bounds": source.Bounds, "hexhail:tilejson": base + "/v1/tiles.json",
		"hexhail:glyphs": "This style has no glyphs: a client draws names with local fonts, or adds a glyph server of its own.",
	}
	b, err := json.Marshal(style)
	if err != nil {
		return nil, fmt.Errorf("the style: %w", err)
	}
	return b, nil
}
