package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

// Config says how the HTTP API behaves. The zero value of a field means its default.
type Config struct {
	// Tariffs are the vehicle classes that drivers may have; ride.DefaultTariffs by
	// default.
	Tariffs ride.Tariffs
	// Heartbeat and PositionTTL are told to clients by GET /v1/config.
	Heartbeat, PositionTTL time.Duration
	// Map says where clients get maps and addresses from, as GET /v1/config tells them.
	Map MapSources
	// Home is where maps open, as GET /v1/config tells clients; nil where the operator
	// has not said.
	Home *MapHome
	// SupportContact is whom people ask, as GET /v1/config tells clients. May be empty.
	SupportContact string
	// OfferResolution is the H3 resolution of the pickup area in offers, told to
	// clients: 8 by default. It must be what the sockets use.
	OfferResolution int
	// ArriveWithinM and CompleteWithinM tell clients how far from pickup and dropoff, in
	// metres, arrived and complete_trip are accepted; 0: anywhere. They must be what trips do.
	ArriveWithinM, CompleteWithinM int
	// PIN tells clients whether trips start with a PIN. It must be what trips do.
	PIN bool
	// Timeout bounds the handling of one request: 10 s by default.
	Timeout time.Duration
	// TrustedProxies may say for whom they ask, by X-Forwarded-For. Empty: nobody.
	TrustedProxies []netip.Prefix
	// ClientAddr finds a client's address; by default a clientaddr.Finder with TrustedProxies.
	ClientAddr func(*http.Request) string
	// CORSOrigins are the exact origins, such as "https://app.example", whose pages
	// may call the API from a browser. Empty: none.
	CORSOrigins []string
	// HSTS is the max-age of Strict-Transport-Security; 0, the default, sends none.
	// For servers that are reached by https alone.
	HSTS time.Duration
	// Rates bounds how much may be asked.
	Rates Rates
	// Uploads bounds the photos in memory at once, 32 by default, 5 MB each.
	Uploads int
	// PhotoDecoders bounds the photos decoded at once, 2 by default. All of them together
	// take at most 160 MB.
	PhotoDecoders int
	// SignUpClosed refuses sign-up: accounts come from outside issuers alone.
	SignUpClosed bool
	// DriverApproval tells clients whether a driver's sign-up waits for an operator. It must be
	// what Deps.Auth does.
	DriverApproval bool
	// Trial tells clients that the server runs for a first try, so that apps say so.
	Trial bool
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Observe, if set, is told of each answered request. route is the route's
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

// Deps are what the API stands on. All but Demo are required.
type Deps struct {
	Auth     *auth.Service
	Accounts Accounts
	Photos   Photos
	Audit    Audit
	Trips    Trips
	Live     Live
	Log      *slog.Logger
	// Demo makes the server a demonstration; nil on an ordinary one.
	Demo Demo
}

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("api configuration")

func (c Config) withDefaults() (Config, error) {
	if len(c.Tariffs) == 0 {
		c.Tariffs = ride.DefaultTariffs()
	}
	def(&c.Heartbeat, 5*time.Second)
	def(&c.PositionTTL, 15*time.Second)
	def(&c.OfferResolution, 8)
	def(&c.Timeout, 10*time.Second)
	def(&c.Uploads, 32)
	def(&c.PhotoDecoders, 2)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ClientAddr == nil {
		c.ClientAddr = clientaddr.Finder{Trusted: c.TrustedProxies}.Of
	}
	c.Rates = c.Rates.withDefaults()
	if err := c.Tariffs.Validate(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, o := range c.CORSOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o {
			return c, fmt.Errorf("%w: %q is no origin such as https://app.example", ErrConfig, o)
		}
	}
	return c, nil
}

func (d Deps) validate() error {
	if d.Auth == nil || d.Accounts == nil || d.Photos == nil || d.Audit == nil || d.Trips == nil || d.Live == nil || d.Log == nil {
		return fmt.Errorf("%w: a dependency is missing", ErrConfig)
	}
	return nil
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
