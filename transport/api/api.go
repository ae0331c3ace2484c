package api

import (
	"encoding/json"
	"net/http"
	"runtime"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hexhail/hexhail/transport/tiles"
)

//go:generate go run ./gendoc ../../docs/openapi.json

// API is the HTTP API as a handler for /v1/ and /openapi.*. It starts no goroutine that
// outlives a request and is safe for concurrent use.
type API struct {
	cfg    Config
	deps   Deps
	mux    *http.ServeMux
	huma   huma.API
	photos *photos
	// exports bounds the exports of riders and drivers under way, operatorExports those of operators.
	exports, operatorExports exports
	// downloads bounds the maps that are being sent.
	downloads downloads
	// searches holds one entry for each search of the map under way.
	searches chan struct{}
	// texture is the demonstration's places; nil on an ordinary server.
	texture *texture
	// tiles are those of the streets.
	tiles *tiles.Cache

	problemSchema                                                   *huma.Schema
	limitAddress, limitAccount, limitSignIn, limitPhoto, limitTiles *limiter
}

// New makes the API.
func New(cfg Config, deps Deps) (*API, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	if err := deps.validate(); err != nil {
		return nil, err
	}
	return build(cfg, deps)
}

// build is New after its checks. Operations use deps only when they are called.
func build(cfg Config, deps Deps) (*API, error) {
	var err error
	a := &API{
		cfg: cfg, deps: deps,
		mux: http.NewServeMux(), photos: newPhotos(cfg.Uploads, cfg.PhotoDecoders), searches: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if a.tiles, err = tiles.New(cfg.Tiles); err != nil {
		return nil, err //nolint:wrapcheck // it says what it did
	}
	if deps.Demo != nil {
		if a.texture, err = newTexture(deps.Demo.Places()); err != nil {
			return nil, err
		}
	}
	for _, l := range []struct {
		to   **limiter
		rate Rate
	}{
		{&a.limitAddress, cfg.Rates.Address}, {&a.limitAccount, cfg.Rates.Account},
		{&a.limitSignIn, cfg.Rates.SignIn}, {&a.limitPhoto, cfg.Rates.Photo},
		{&a.limitTiles, cfg.Rates.Tiles},
	} {
		if *l.to, err = newLimiter(l.rate, cfg.Rates.Remember, cfg.Now); err != nil {
			return nil, err
		}
	}
	a.huma = humago.New(a.mux, a.humaConfig())
	a.describeProblem()
	a.registerSessions()
	a.registerAccounts()
	a.registerPhotos()
	a.registerTrips()
	a.registerSearch()
	a.registerAdmin()
	a.registerStreets()
	a.registerDemo()
	a.registerTiles()
	a.serveDocument()
	return a, nil
}

// Stop ends uploads and the decoding of photos, which could outlast a shutdown; their clients get
// ride.ErrShuttingDown. Other requests continue. It does not wait, and may be called more than
// once.
func (a *API) Stop() { a.photos.stop() }

// Document renders the OpenAPI document of a default configuration, as /openapi.json
// serves it. Generators of clients use it where no server runs.
func Document() ([]byte, error) {
	a, err := build(DefaultConfig().complete(), Deps{})
	if err != nil {
		return nil, err
	}
	return a.document()
}

// OpenAPI is the document that the API serves. The caller must not change it.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

func (a *API) schemas() huma.Registry { return a.huma.OpenAPI().Components.Schemas }

func (a *API) humaConfig() huma.Config {
	c := huma.DefaultConfig("Hexhail", "1")
	c.CreateHooks = nil // no $schema in our answers
	// We serve the document ourselves: huma makes it at the first request, unguarded.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Formats = map[string]huma.Format{"application/json": strictFormat, "json": strictFormat}
	c.Transformers = []huma.Transformer{transform}
	c.Info.Description = "Accounts, sign-in and history of Hexhail. Rides themselves happen on the socket at /v1/ws. " +
		"Errors are problems of RFC 9457 with a stable code."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token of POST /v1/login or of a trusted outside issuer."},
	}
	return c
}

// serveDocument serves the OpenAPI document, built at the first request: nothing
// changes it after New.
func (a *API) serveDocument() {
	// huma's own error model is replaced before it is served.
	delete(a.schemas().Map(), "ErrorModel")
	delete(a.schemas().Map(), "ErrorDetail")
	serve := func(path, contentType string, render func() ([]byte, error)) {
		once := sync.OnceValues(render)
		a.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			b, err := once()
			if err != nil {
				a.fail(r.Context(), path, err).Write(w)
				return
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "max-age=300")
			_, _ = w.Write(b) // the client may be gone
		})
	}
	serve("/openapi.json", "application/openapi+json", a.document)
	serve("/openapi.yaml", "application/openapi+yaml", a.huma.OpenAPI().YAML)
}

func (a *API) document() ([]byte, error) {
	return json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
}
