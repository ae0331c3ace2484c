package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/clientaddr"
	"github.com/hexhail/hexhail/transport/session"
	"github.com/hexhail/hexhail/web"
)

// The functions in this file translate the one configuration into those of the parts.

func actorsConfig(c *config.Config, log *slog.Logger) actors.Config {
	a := actors.DefaultConfig()
	a.Tariffs = c.Tariffs
	a.Rules = c.Rules(c.Tariffs[0])
	a.Matching.Window, a.Matching.Worth = c.Dispatch.Window, c.Dispatch.Worth
	a.ZoneResolution = min(c.Dispatch.Zone, c.Map.H3Resolution)
	// Policies that do not plan for zones may allow any way; the zone's policy must be valid for the one
	// that an operator changes to.
	a.Matching.MaxETA = min(max(c.Dispatch.MaxETA, 30*time.Second), time.Hour)
	if c.Dispatch.MaxETA == 0 {
		a.Matching.MaxETA = time.Hour
	}
	a.PIN = c.Trip.PIN
	a.Resolution = c.Map.H3Resolution
	a.PositionTTL = c.Map.PositionTTL
	a.MaxSpeedMPS = c.Map.PositionMaxSpeed / 3.6
	a.ETA = straightLine(c)
	a.Heartbeat = c.Sockets.PingInterval
	a.Linger = c.Sockets.SessionLinger
	a.OperatorSessions = c.Sockets.MaxPerOperator
	// In JSON a history takes up to 16/3 of its bytes, and a replay waits in the outbox.
	a.HistoryBytes = min(c.Sockets.HistoryBytes, max(512, c.Sockets.OutboxBytes/16*3))
	// A socket that is lost silently is noticed after the pong timeout.
	a.HistoryAge = c.Sockets.SessionLinger + 2*c.Sockets.PongTimeout + 30*time.Second
	a.MissingAfter = c.Cluster.Missing
	a.CancelsFree, a.CancelsForget = c.Limits.CancelsFree, c.Limits.CancelsForget
	a.Log = log
	if c.Sockets.ReplayedEvents != formerReplayedEvents {
		log.Warn("socket-replayed-events no longer has any effect; socket-history-bytes bounds what sessions resume from")
	}
	return a
}

func straightLine(c *config.Config) geo.StraightLine {
	return geo.StraightLine{Detour: c.Map.ETADetour, SpeedMPS: c.Map.ETASpeed / 3.6}
}

// formerReplayedEvents is the default of a setting that is read only to warn that it has no effect.
const formerReplayedEvents = 256

func authConfig(c *config.Config, log *slog.Logger) auth.Config {
	a := auth.DefaultConfig()
	a.Issuer, a.Audience = c.TokenIssuer(), c.Auth.TokenAudience
	a.DriverApproval, a.Log = c.Auth.DriverApproval, log
	a.AccessTTL, a.RefreshTTL, a.RefreshGrace = c.Auth.AccessTokenTTL, c.Auth.RefreshTokenTTL, c.Auth.RefreshGrace
	a.OutsideTTL = c.Auth.OutsideTokenTTL
	for _, o := range c.OutsideIssuers {
		issuer := auth.OutsideIssuer{
			Issuer: o.Issuer, JWKSURL: o.JWKSURL, Secret: []byte(o.SharedSecret.Reveal()), Audience: o.Audience,
			RoleClaim: o.RoleClaim, Roles: o.Roles, AllowCreate: o.CreateAccounts,
		}
		if o.JWKSURL != "" && o.Algorithm != "" {
			issuer.Algorithms = []string{o.Algorithm}
		}
		a.Outside = append(a.Outside, issuer)
	}
	return a
}

// clientsOf finds clients' addresses behind trusted proxies. Behind an untrusted proxy, all clients
// count as one address, for every bound and for log-ins; a warning says so once.
func clientsOf(trusted []netip.Prefix, log *slog.Logger) func(*http.Request) string {
	var once sync.Once
	return clientaddr.Finder{Trusted: trusted, Untrusted: func(peer netip.Addr) {
		once.Do(func() {
			log.Warn("ignored an X-Forwarded-For from an address that trusted-proxies does not list; "+
				"if it is your proxy, all its clients count as one address", "address", peer.String())
		})
	}}.Of
}

func sessionConfig(c *config.Config, demo bool, clients func(*http.Request) string, log *slog.Logger, counts *session.Metrics, m *metrics) session.Config {
	all, ofAddress := mostSockets(c, demo)
	s := session.DefaultConfig()
	s.MaxSockets, s.MaxPerAddress = all, ofAddress
	s.ClientAddr, s.Origins = clients, c.HTTP.AllowedOrigins
	s.ConnectTimeout = c.Sockets.ConnectWithin
	s.CommandRate, s.CommandBurst = c.Limits.CommandsPerSecond, c.Limits.CommandsBurst
	s.LocationRate = c.Limits.LocationsPerSecond
	// This limit counts every frame, even those that the limits above refuse: an operator who
	// raises those must not have sessions closed by this one.
	s.FrameRate = max(s.FrameRate, 2*(c.Limits.CommandsPerSecond+c.Limits.LocationsPerSecond))
	s.FrameBurst = max(s.FrameBurst, 2*(c.Limits.CommandsBurst+c.Limits.LocationsPerSecond))
	if c.Shutdown.RetryAfter > 0 { // 0s: clients still need a time, and get the default
		s.RetryAfterMin, s.RetryAfterSpread = c.Shutdown.RetryAfter, 2*c.Shutdown.RetryAfter
	}
	s.Socket.MaxFrame, s.Socket.MaxMessage, s.Socket.MaxQueue = c.Sockets.MessageBytes, c.Sockets.MessageBytes, c.Sockets.OutboxBytes
	s.Socket.WriteTimeout, s.Socket.PingInterval, s.Socket.SilenceTimeout = c.Sockets.WriteTimeout, c.Sockets.PingInterval, c.Sockets.PongTimeout
	s.Socket.Observer = m.sockets
	s.Logger, s.Metrics = log, counts
	return s
}

func apiConfig(c *config.Config, clients func(*http.Request) string, m *metrics) api.Config {
	a := api.DefaultConfig()
	if h := c.Web.Home; !h.IsZero() {
		a.Home = &api.MapHome{Lat: h.Lat, Lng: h.Lng, Zoom: h.Zoom}
	}
	a.SupportContact = c.Web.SupportContact
	a.Map = api.MapSources{
		StyleURL: c.Web.MapStyleURL, PMTilesURL: c.Web.MapPMTilesURL, Attribution: c.Web.MapAttribution,
		GeocoderURL: c.Web.GeocoderURL,
	}
	a.Tariffs, a.Heartbeat, a.PositionTTL = c.Tariffs, c.Sockets.PingInterval, c.Map.PositionTTL
	a.OfferResolution, a.ArriveWithinM, a.CompleteWithinM = c.Map.H3Resolution, c.Map.ArriveWithin, c.Map.CompleteWithin
	a.PIN, a.SignUpClosed, a.DriverApproval = c.Trip.PIN, !c.Auth.SignUp, c.Auth.DriverApproval
	a.ClientAddr, a.CORSOrigins = clients, c.HTTP.AllowedOrigins
	l := c.Limits
	all := api.Rate{PerSecond: l.RequestsPerSecond, Burst: l.RequestsBurst}
	a.Rates.Address, a.Rates.Account = all, all
	a.Rates.Tiles = api.Rate{PerSecond: tileShare * l.RequestsPerSecond, Burst: tileShare * l.RequestsBurst}
	a.PublicURL = c.HTTP.PublicURL
	a.Rates.SignIn = api.Rate{PerSecond: l.SignInsPerMinute / 60, Burst: max(1, int(l.SignInsPerMinute))}
	a.Observe, a.TimeZone = m.request, c.Map.TimeZone.Location()
	return a
}

// tileShare is how many tiles of a map a client may ask for while it may ask for one thing else.
const tileShare = 10

func webPolicy(c *config.Config) web.Policy {
	return web.Policy{
		PublicURL: c.HTTP.PublicURL,
		Sources:   append([]string{c.Web.MapStyleURL, c.Web.MapPMTilesURL, c.Web.GeocoderURL}, c.Web.MapHosts...),
	}
}
