package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/tiles"
)

// The addresses of what maps are drawn from.
const (
	tilePath     = "/v1/tiles/{z}/{x}/{y}"
	tileJSONPath = "/v1/tiles.json"
	stylePath    = "/v1/style.json"
	tileType     = "application/vnd.mapbox-vector-tile"
)

// drawsMap reports whether a request asks for a map to draw. A single view asks for dozens of tiles, so these
// requests have a bound of their own.
func drawsMap(path string) bool {
	return strings.HasPrefix(path, "/v1/tiles/") || path == tileJSONPath || path == stylePath
}

var noStreets = ride.ErrNotFound.With("This server has no map of streets.")

func (a *API) registerTiles() {
	missing := []*ride.Error{ride.ErrNotFound}
	register(a, operation{
		id: "get-tile", method: http.MethodGet, path: tilePath, tag: "Map", summary: "A tile of the streets", roles: anyone,
		doc: "A Mapbox Vector Tile of the server's own map, in the layers of Protomaps' basemap, version 4. The last part of the address is " +
			"a number and .mvt: /v1/tiles/14/4824/6158.mvt. 204 where the map has nothing, 304 for a client that has the tile. " +
			"Show the attribution of GET /v1/tiles.json with every map.",
		errors: missing,
	}, a.getTile)
	register(a, operation{
		id: "describe-tiles", method: http.MethodGet, path: tileJSONPath, tag: "Map", summary: "What tiles there are", roles: anyone,
		doc: "TileJSON 3.0. Its addresses begin with the setting public-url, or else with the host that the request names.", errors: missing,
	}, a.describeTiles)
	register(a, operation{
		id: "get-style", method: http.MethodGet, path: stylePath, tag: "Map", summary: "A style for MapLibre", roles: anyone,
		doc: "A complete style of the tiles. It has no glyphs: names appear with local fonts, or with a glyph server that " +
			"a client adds.", errors: missing,
	}, a.getStyle)
	paths := a.huma.OpenAPI().Paths
	paths[tilePath].Get.Responses["200"].Content = map[string]*huma.MediaType{tileType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}
	paths[stylePath].Get.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object", AdditionalProperties: true}}}
}

// writtenBody is an answer that an operation writes itself.
type writtenBody struct {
	ETag  string `header:"ETag"`
	Cache string `header:"Cache-Control"`
	Vary  string `header:"Vary"`
	Body  func(huma.Context)
}

func (a *API) getTile(ctx context.Context, in *struct {
	Z        int    `path:"z" minimum:"0" maximum:"30" doc:"Zoom."`
	X        int    `path:"x" minimum:"0" doc:"Column, from the west."`
	Y        string `path:"y" pattern:"^[0-9]{1,9}[.]mvt$" doc:"Row, from the north, and .mvt."`
	Version  string `query:"v" maxLength:"64" doc:"Of the tiles, as GET /v1/tiles.json has it. With it, answers may be kept for ever."`
	Known    string `header:"If-None-Match" maxLength:"512" doc:"The ETag of an earlier answer; 304 without a body if it still applies."`
	Encoding string `header:"Accept-Encoding" maxLength:"512" doc:"The tile is packed for clients that accept gzip."`
}) (*writtenBody, error) {
	m := a.streets()
	if m == nil {
		return nil, noStreets
	}
	version := tiles.Version(m)
	out := &writtenBody{ETag: `W/"` + version + `"`, Cache: "public, max-age=300", Vary: "Accept-Encoding"}
	if in.Version == version {
		out.Cache = "public, max-age=31536000, immutable"
	}
	if strings.Contains(in.Known, `"`+version+`"`) {
		out.Body = func(ctx huma.Context) { ctx.SetStatus(http.StatusNotModified) }
		return out, nil
	}
	y, err := strconv.Atoi(strings.TrimSuffix(in.Y, ".mvt"))
	if err != nil {
		return nil, ride.ErrInvalidArgument
	}
	t, err := a.tiles.Tile(ctx, m, in.Z, in.X, y)
	switch {
	case errors.Is(err, streets.ErrTile):
		return nil, ride.ErrNotFound.With("There is no such tile.")
	case ctx.Err() != nil:
		return nil, ride.ErrUnavailable
	case err != nil:
		return nil, err
	}
	out.Body, err = tileBody(t, acceptsGzip(in.Encoding))
	return out, err
}

func acceptsGzip(encodings string) bool {
	return strings.Contains(encodings, "gzip") && !strings.Contains(encodings, "gzip;q=0")
}

// tileBody writes a tile.
func tileBody(t tiles.Tile, packed bool) (func(huma.Context), error) {
	if t.Empty() {
		return func(ctx huma.Context) { ctx.SetStatus(http.StatusNoContent) }, nil
	}
	b, encoding := t.Gzip(), "gzip"
	if !packed {
		var err error
		if b, err = t.Plain(); err != nil {
			return nil, err //nolint:wrapcheck // it says what it did
		}
	}
	return func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", tileType)
		if packed {
			ctx.SetHeader("Content-Encoding", encoding)
		}
		ctx.SetHeader("Content-Length", strconv.Itoa(len(b)))
		_, _ = ctx.BodyWriter().Write(b) // the client may be gone
	}, nil
}

type sourceOutput struct {
	Cache string `header:"Cache-Control"`
	Body  tiles.TileSource
}

func (a *API) describeTiles(ctx context.Context, _ *nothing) (*sourceOutput, error) {
	m := a.streets()
	if m == nil {
		return nil, noStreets
	}
	return &sourceOutput{Cache: "no-cache", Body: tiles.SourceOf(m, a.base(ctx))}, nil
}

func (a *API) getStyle(ctx context.Context, in *struct {
	Scheme tiles.Scheme `query:"scheme" enum:"light,dark" default:"light"`
}) (*writtenBody, error) {
	m := a.streets()
	if m == nil {
		return nil, noStreets
	}
	b, err := tiles.StyleOf(m, in.Scheme, a.base(ctx))
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it did
	}
	return &writtenBody{Cache: "no-cache", Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		_, _ = ctx.BodyWriter().Write(b) // the client may be gone
	}}, nil
}

// base is how the client reaches this server, without a slash at the end.
func (a *API) base(ctx context.Context) string {
	if a.cfg.PublicURL != "" {
		return a.cfg.PublicURL
	}
	r := callOf(ctx).request
	if r == nil {
		return ""
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
