package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/clientaddr"
	"github.com/hexhail/hexhail/transport/tiles"
)

// Config says how the HTTP API behaves. Begin with [DefaultConfig]: a zero is a zero.
type Config struct {
	// Tariffs are the vehicle classes that drivers may have.
	Tariffs ride.Tariffs
	// GET /v1/config gives Heartbeat and PositionTTL to clients.
	Heartbeat, PositionTTL time.Duration
	// Map says where clients get maps and addresses from, as GET /v1/config tells them.
	Map MapSources
	// Home is where maps open, as GET /v1/config tells clients; nil where the operator
	// has not said.
	Home *MapHome
	// SupportContact is the contact for help in GET /v1/config. May be empty.
	SupportContact string
	// OfferResolution is the H3 resolution of the pickup area in offers, as
	// clients see it. It must be what the sockets use.
	OfferResolution int
	// ArriveWithinM and CompleteWithinM tell clients how far from pickup and dropoff, in
	// metres, arrived and complete_trip are accepted; 0: anywhere. They must be what trips do.
	ArriveWithinM, CompleteWithinM int
	// PIN tells clients whether trips start with a PIN. It must be what trips do.
	PIN bool
	// Timeout bounds the handling of one request.
	Timeout time.Duration
	// TrustedProxies may name their client in X-Forwarded-For. Empty: none.
	TrustedProxies []netip.Prefix
	// ClientAddr finds a client's address; nil: a clientaddr.Finder with TrustedProxies.
	ClientAddr func(*http.Request) string
	// CORSOrigins are the exact origins, such as "https://app.example", whose pages
	// may call the API from a browser. Empty: none.
	CORSOrigins []string
	// HSTS is the max-age of Strict-Transport-Security; 0 sends none.
	// For servers that are reached by https alone.
	HSTS time.Duration
	// Rates bounds how much may be asked.
	Rates Rates
	// Tiles bounds the tiles of the streets that are kept, and those encoded at once.
	Tiles tiles.Config
	// PublicURL is how clients reach the server, without a slash at the end. Empty: as the request says.
	PublicURL string
	// Uploads bounds the photos in memory at once, 5 MB each.
	Uploads int
	// PhotoDecoders bounds the photos decoded at once. All of them together
	// take at most 160 MB.
	PhotoDecoders int
	// SignUpClosed refuses sign-up: accounts come from outside issuers alone.
	SignUpClosed bool
	// DriverApproval tells clients whether a driver's sign-up waits for an operator. It must be
	// what Deps.Auth does.
	DriverApproval bool
	// Trial tells clients that the server runs for a first try, so that apps say so.
	Trial bool
	// TimeZone is that of the hours of travel times; nil: UTC. It must be the one by which they are learned.
	TimeZone *time.Location
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Observe, if set, is called for each answered request. route is the route's
	// pattern, empty for none; it must not block.
	Observe func(route string, status int, took time.Duration)
}

// MapHome is a view of a map: degrees, and a zoom of web maps.
type MapHome struct {
	Lat, Lng, Zoom float64
}

// MapSources are the operator's map services; empty where there is none.
type MapSources struct {
	StyleURL, PMTilesURL, Attribution, GeocoderURL string
}

// Deps are what the API stands on. All but Streets, CityMap, Speeds and Demo are required.
type Deps struct {
	Auth     *auth.Service
	Accounts Accounts
	Photos   Photos
	Audit    Audit
	Trips    Trips
	Live     Live
	Log      *slog.Logger
	// Streets is the city whose map clients may ask about; nil, or without a map: there is none.
	Streets *streets.City
	// CityMap is where that map is from; nil: no one may load it again.
	CityMap CityMap
	// Speeds are what is learned of travel times; nil: nothing is.
	Speeds Speeds
	// Demo makes the server a demonstration; nil on an ordinary one.
	Demo Demo
}

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("api configuration")

// DefaultConfig is a complete Config.
func DefaultConfig() Config {
	return Config{
		Tariffs:   ride.DefaultTariffs(),
		Heartbeat: 5 * time.Second, PositionTTL: 15 * time.Second,
		OfferResolution: 8, Timeout: 10 * time.Second,
		Rates:   DefaultRates(),
		Tiles:   tiles.DefaultConfig(),
		Uploads: 32, PhotoDecoders: 2,
	}
}

// complete fills in what no configuration names.
func (c Config) complete() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ClientAddr == nil {
		c.ClientAddr = clientaddr.Finder{Trusted: c.TrustedProxies}.Of
	}
	return c
}

// Validate returns an error that wraps ErrConfig unless the API can work by c.
func (c Config) Validate() error {
	if err := c.Tariffs.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.Heartbeat <= 0 || c.PositionTTL <= 0 || c.Timeout <= 0 {
		return fmt.Errorf("%w: heartbeats, positions and requests need time", ErrConfig)
	}
	if c.Uploads <= 0 || c.PhotoDecoders <= 0 || c.Rates.Remember <= 0 {
		return fmt.Errorf("%w: photos and rates need room", ErrConfig)
	}
	if err := c.Tiles.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, o := range c.CORSOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o {
			return fmt.Errorf("%w: %q is not an origin such as https://app.example", ErrConfig, o)
		}
	}
	return nil
}

func (d Deps) validate() error {
	if d.Auth == nil || d.Accounts == nil || d.Photos == nil || d.Audit == nil || d.Trips == nil || d.Live == nil || d.Log == nil {
		return fmt.Errorf("%w: a dependency is missing", ErrConfig)
	}
	return nil
}
