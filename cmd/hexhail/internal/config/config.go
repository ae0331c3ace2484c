// Package config is Hexhail's configuration: one struct from which the flags, the
// environment variables, the keys of the configuration file, the checks and the
// page docs/configuration.md all come.
//
// A setting has one name in three spellings: the flag --dispatch-cap, the variable
// HEXHAIL_DISPATCH_CAP and the key dispatch-cap of the file. A flag beats the
// environment, the environment beats the file, the file beats the default.
package config

import (
	"net/netip"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/ride"
)

//go:generate go run ./gendoc ../../../../docs/configuration.md

// Config is the whole configuration. Commands embed it; it is complete and checked
// once Source.Complete has returned nil, and must not change afterwards.
//
// Besides kong's tags, a field may say "range" (least..most, both allowed) and
// "secret" (never shown); checks, help and documentation use both.
type Config struct {
	// File is the path of the configuration file; empty: none.
	File string `name:"config" placeholder:"FILE" help:"Configuration file (YAML). Its keys are the flags without dashes in front."`

	HTTP     HTTP     `embed:"" group:"Clients and addresses"`
	Web      Web      `embed:"" group:"Web app"`
	Ops      Ops      `embed:"" prefix:"ops-" group:"Operations listener"`
	Log      Log      `embed:"" prefix:"log-" group:"Log"`
	Traces   Traces   `embed:"" prefix:"traces-" group:"Traces"`
	Store    Store    `embed:"" group:"Data"`
	Auth     Auth     `embed:"" group:"Accounts and tokens"`
	Dispatch Dispatch `embed:"" prefix:"dispatch-" group:"Dispatch"`
	Trip     Trip     `embed:"" prefix:"trip-" group:"Trips"`
	Map      Map      `embed:"" group:"Map and positions"`
	Sockets  Sockets  `embed:"" prefix:"socket-" group:"Sockets"`
	Limits   Limits   `embed:"" prefix:"limit-" group:"Rate limits"`
	Shutdown Shutdown `embed:"" prefix:"shutdown-" group:"Shutdown"`
	Cluster  Cluster  `embed:"" group:"Cluster"`

	// Tariffs and OutsideIssuers have structure, so only the file can hold them.
	Tariffs        ride.Tariffs    `kong:"-"`
	OutsideIssuers []OutsideIssuer `kong:"-"`
}

// HTTP is where clients reach Hexhail, and from where.
type HTTP struct {
	Listen            string         `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address for clients: sockets and HTTP API. Only this machine by default, because without TLS passwords would travel unencrypted."`
	TLSCert           string         `name:"tls-cert" placeholder:"FILE" help:"Certificate chain (PEM) for the client address. Needs --tls-key. Without both, use --tls-auto or a TLS proxy."`
	TLSKey            string         `name:"tls-key" placeholder:"FILE" help:"Private key (PEM) of --tls-cert."`
	TLSAuto           []string       `name:"tls-auto" placeholder:"HOSTNAME" help:"Obtain a certificate for each of these hostnames automatically, and renew it (ACME, TLS-ALPN-01). The certificate authority must reach --listen at port 443 of each."`
	TLSAutoAgree      bool           `name:"tls-auto-agree" help:"Agree to the terms of service of the certificate authority. Needed with --tls-auto."`
	TLSAutoEmail      string         `name:"tls-auto-email" placeholder:"ADDRESS" help:"Where the certificate authority may report trouble with the certificates of --tls-auto."`
	TLSAutoDirectory  string         `name:"tls-auto-directory" default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" help:"ACME directory of the certificate authority. The default is Let's Encrypt."`
	TLSAutoCA         string         `name:"tls-auto-ca" placeholder:"FILE" help:"Certificates (PEM) that vouch for the directory of a certificate authority of your own. Default: the system's."`
	PublicURL         string         `name:"public-url" placeholder:"URL" help:"How clients reach this server from outside, such as https://rides.example.org. Used as the issuer of tokens."`
	AllowedOrigins    []string       `placeholder:"ORIGIN" help:"Web origins whose pages may open sockets and call the HTTP API (CORS), such as https://app.example.org. The server's own origin always may."`
	TrustedProxies    []netip.Prefix `placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8. The header is ignored from all other clients."`
	SecurityContact   string         `placeholder:"URL" help:"Whom to tell about a vulnerability: a mailto:, https: or tel: address, such as mailto:security@rides.example.org. Served at /.well-known/security.txt (RFC 9116). Default: none."`
	ReadHeaderTimeout time.Duration  `default:"5s" range:"100ms..1m" help:"How long a client may take to send its request headers, and to finish a socket's handshake."`
	MaxHeaderBytes    int            `default:"16384" range:"4096..1048576" help:"Most bytes of request headers."`

	ConnectionsPerAddress int           `default:"256" range:"1..10000000" help:"Most connections open at once from one address (one /64 network in IPv6) that are not sockets; never less than socket-max-per-address, because each socket begins as one. One more replaces the connection that has been idle longest. Trusted proxies are exempt. Mobile carriers put many clients behind one address: there the server closes idle connections earlier, and clients open them again."`
	AnswerTimeout         time.Duration `default:"30s" range:"1s..10m" help:"A client that takes no bytes of an answer for longer than this is cut off."`
}

// Web is the app that browsers get at the clients' address. Its pages may talk to no
// other hosts than those of these settings.
type Web struct {
	App            bool     `name:"web-app" default:"true" negatable:"" help:"Serve the web app for riders, drivers and operators. When off, the client address serves only sockets and the HTTP API."`
	MapStyleURL    string   `name:"map-style-url" placeholder:"URL" help:"MapLibre style of the app's maps. Without it and without tiles, maps show cells, places and ways on a plain ground."`
	MapPMTilesURL  string   `name:"map-pmtiles-url" placeholder:"URL" help:"Vector tiles in one PMTiles file in the Protomaps schema, which the app draws in its own style; --map-style-url takes precedence."`
	MapAttribution string   `name:"map-attribution" placeholder:"TEXT" help:"Attribution that maps show, as tile providers require, such as © OpenStreetMap contributors."`
	MapHosts       []string `name:"map-hosts" placeholder:"ORIGIN" help:"Further origins from which the map style takes tiles, glyphs and images, such as https://tiles.example.org."`
	GeocoderURL    string   `name:"geocoder-url" placeholder:"URL" help:"Photon server (https://github.com/komoot/photon) that finds addresses for riders, and names the places that they tap. Without it, they are found in the map of streets, if there is one."`
	Home           Home     `name:"home" placeholder:"LAT,LNG[,ZOOM]" help:"Where maps open while they have nothing to show, such as 37.5665,126.9780,12; the zoom is from 1 to 18, by default 12. Without it, they open at the last place viewed, or else on the part of the world that the browser's time zone suggests."`
	SupportContact string   `name:"support-contact" placeholder:"TEXT" help:"Contact for people who cannot sign in or need help: an e-mail address, a phone number, a web address or a short text, such as support@rides.example.org. The apps show it."`
}

// Ops is the second listener, for operators and their monitoring.
type Ops struct {
	Listen       string   `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address for /metrics, /healthz, /readyz and pprof. It has no authentication: keep it on this machine or on a private network."`
	AllowedHosts []string `placeholder:"HOST" help:"Host names, besides IP addresses and localhost, under which the operations listener answers. This stops web pages from reading it through DNS rebinding."`
}

// Log says what is logged and how. It goes to the standard error.
type Log struct {
	Format string `default:"text" enum:"text,json" help:"Form of log lines: ${enum}."`
	Level  string `default:"info" enum:"debug,info,warn,error" help:"Minimum level that is logged: ${enum}."`
}

// Traces says where each trip is recorded as an OpenTelemetry trace. Without URL nothing is.
type Traces struct {
	URL   string  `name:"url" placeholder:"URL" help:"Collector of OpenTelemetry traces that speaks OTLP over HTTP, such as http://127.0.0.1:4318. Each trip becomes one trace, also across nodes. Without it, nothing is traced."`
	Share float64 `default:"1" range:"0..1" help:"Share of the trips that are traced. All nodes choose the same trips."`
}

// Store is where Hexhail keeps its data, and for how long.
type Store struct {
	DataDir        string        `default:"hexhail-data" placeholder:"DIR" help:"Directory of the embedded database and of the signing key. Created at first start, readable by its owner only."`
	DatabaseURL    Secret        `name:"database-url" secret:"true" placeholder:"URL" help:"PostgreSQL instead of the embedded database: postgres://account:password@host:5432/database. Prefer the environment, because flags are visible to everyone on the machine."`
	DatabaseDirect Secret        `name:"database-direct-url" secret:"true" placeholder:"URL" help:"Address of the same PostgreSQL past the connection pooler (PgBouncer) that database-url leads to, for work that needs a dedicated session: the lock of the one server, announcements of changed accounts, and schema changes."`
	DatabaseConns  int           `default:"16" range:"2..500" help:"Most connections to PostgreSQL. The embedded database does not use it."`
	DatabaseWait   time.Duration `default:"60s" range:"0s..1h" help:"How long a start waits for a PostgreSQL that accepts no connections yet, such as one that starts at the same time. A wrong password or a missing database ends the start at once. 0s: no waiting."`
	KeepCommands   time.Duration `default:"24h" range:"24h..720h" help:"How long the outcome of a command is kept, so that the same command gets the same answer."`
	KeepPerAccount int           `name:"keep-commands-per-account" default:"2000" range:"100..1000000" help:"Most outcomes kept for one account's commands; the newest stay, and for a moment about an eighth more."`
	KeepTracks     time.Duration `default:"2160h" range:"24h..87600h" help:"How long the recorded positions of ended trips are kept."`
	KeepTrips      time.Duration `default:"0s" range:"0s..876000h" help:"How long ended trips are kept, with all that belongs to them, counted from their request. 0s: for ever; otherwise at least 24h."`
	KeepTripEvents time.Duration `default:"0s" range:"0s..876000h" help:"How long the events and offers of ended trips are kept, which explain how a trip got to its end. The trip itself stays. 0s: as long as the trip; otherwise at least 24h."`
	KeepAudit      time.Duration `default:"0s" range:"0s..876000h" help:"How long the record of what operators did is kept. 0s: for ever; otherwise at least 24h."`
	PruneEvery     time.Duration `default:"10m" range:"1m..24h" help:"Time between two removals of expired data."`
	SigningKeyFile string        `placeholder:"FILE" help:"Private key (PEM) that signs access tokens. Default: signing-key.pem in the data directory, created at first start."`
}

// Auth is about tokens of our own. Those of others are in Config.OutsideIssuers.
type Auth struct {
	SignUp          bool          `name:"sign-up" default:"true" negatable:"" help:"Let riders and drivers create accounts. When off, accounts come from outside issuers only."`
	DriverApproval  bool          `name:"driver-approval" default:"true" negatable:"" help:"A driver who signs up waits until an operator approves the account, in the console or with hexhail admin approve. When off, drivers may drive as soon as they sign up. Drivers of outside issuers never wait."`
	TokenIssuer     string        `placeholder:"NAME" help:"Issuer named in access tokens. Default: the public URL, or else hexhail."`
	TokenAudience   string        `default:"hexhail" placeholder:"NAME" help:"Audience named in access tokens; tokens for another one are refused."`
	AccessTokenTTL  time.Duration `name:"access-token-ttl" default:"15m" range:"10s..24h" help:"How long an access token is valid."`
	RefreshTokenTTL time.Duration `name:"refresh-token-ttl" default:"720h" range:"1h..8760h" help:"How long a log-in lasts without being used."`
	RefreshGrace    time.Duration `name:"refresh-grace" default:"30s" range:"0s..10m" help:"How long a refresh that names an attempt may be repeated with the same one, for clients that lost the answer. Only until the token in that answer is used. 0s: a second use of a token always ends the log-in."`

	OutsideTokenTTL time.Duration `name:"outside-token-ttl" default:"720h" range:"1m..8784h" help:"Longest life of an outside issuer's token, from iat to exp, or from now where it has no iat. Longer ones are refused, with a warning in the log."`
}

// Dispatch chooses drivers. See ride.Policy.
type Dispatch struct {
	Policy        string        `default:"nearest" enum:"nearest,batch,broadcast,sequential" help:"How drivers are asked: nearest asks one of the nearest, who holds no other offer, and then the next. batch does so for all trips of a zone together, once in each window, so that their ways are shortest in sum. broadcast asks all nearby drivers of a wave at once, and the first to accept wins. sequential is nearest without the hold: several trips may ask one driver at once."`
	Window        time.Duration `default:"5s" range:"500ms..2m" help:"Time from one plan of a zone to the next, under batch. A request that competes with no other does not wait for it."`
	Zone          int           `name:"zone-resolution" default:"5" range:"2..10" help:"H3 resolution of the zones that are planned as one, under batch, at most h3-resolution: 5 for a city (cells of about 10 km edge), 6 for one that is too busy for a single plan, 4 for the country."`
	Worth         time.Duration `default:"2m" range:"0s..30m" help:"How much longer a way may be, under batch, to leave a driver where recent requests show that drivers are most needed. 0s: only ways count."`
	Hold          bool          `default:"false" negatable:"" help:"Let a driver hold one offer at a time under broadcast and sequential, too. Under nearest and batch this is always so."`
	Place         string        `default:"by-policy" enum:"by-policy,door,cell" help:"Where ways to a pickup end when drivers are chosen: at the door, or in the middle of the pickup's cell. With the middle, riders wait far longer, but nobody who controls several drivers can locate a rider more precisely than the cell before the match. by-policy: the door under nearest and batch, the cell under broadcast and sequential."`
	MaxETA        time.Duration `name:"max-eta" default:"10m" range:"0s..24h" help:"Longest way to the pickup for which a driver is asked. Rings from which nobody could arrive in time are not searched. 0s: any."`
	Award         string        `default:"first" enum:"first,best_eta" help:"Who wins: the first to accept, or the shortest way to the pickup among those who accept within the award window (best_eta)."`
	AwardWindow   time.Duration `default:"2s" range:"100ms..1m" help:"How long acceptances are gathered under best_eta, counted from the first."`
	Cap           int           `default:"8" range:"1..500" help:"Most offers of one trip that are open at once under broadcast."`
	RingStart     int           `default:"1" range:"0..30" help:"Radius of the first wave, in rings of cells around the pickup."`
	RingStep      int           `default:"1" range:"0..30" help:"Rings that each further wave adds."`
	RingMax       int           `default:"6" range:"0..30" help:"Largest radius of a wave, in rings."`
	WaveEvery     time.Duration `default:"5s" range:"100ms..10m" help:"Time from one wave to the next while no driver accepts."`
	OfferTTL      time.Duration `name:"offer-ttl" default:"15s" range:"1s..10m" help:"How long a driver may think about an offer."`
	AsksPerDriver int           `default:"2" range:"1..10" help:"How often one driver is offered the same trip when it lets the offer expire."`
	Exchanges     int           `default:"2" range:"0..10" help:"How often a trip may change its driver before the pickup, for a closer car; 0: never."`
	ExchangeFare  int           `default:"100" range:"0..100" help:"Least estimated fare, in percent of the fare given up, of a trip to which a driver on its way to a pickup is moved without being asked. At 100 no driver gets a worse fare unasked. Servers do not propose exchanges yet."`
}

// Trip bounds how long a trip may stay in one status. See ride.Rules.
type Trip struct {
	PIN          bool          `name:"pin" default:"false" negatable:"" help:"Ask the driver for the rider's 4-digit PIN when a trip starts."`
	SearchFor    time.Duration `default:"5m" range:"1s..168h" help:"How long the search for a driver lasts before the request expires."`
	PickupWithin time.Duration `default:"1h" range:"1s..168h" help:"Longest time from match to arrival; then the trip is cancelled."`
	BoardWithin  time.Duration `default:"20m" range:"1s..168h" help:"Longest time from arrival to start; then the trip is cancelled."`
	RideWithin   time.Duration `default:"12h" range:"1s..168h" help:"Longest time from start to completion; then the trip is ended."`
}

// Map is about cells, positions and travel times.
type Map struct {
	H3Resolution     int           `name:"h3-resolution" default:"8" range:"5..10" help:"H3 resolution of the cells in which drivers are found: 7 for the country, 8 for towns (cells of about 0.5 km edge), 9 for dense cities."`
	PositionTTL      time.Duration `name:"position-ttl" default:"15s" range:"3s..5m" help:"A driver whose newest position is older gets no offers."`
	PositionMaxSpeed float64       `name:"position-max-speed" default:"200" range:"50..100000" help:"Speed in km/h between two positions of a driver above which the second is held back until others agree with it. Simulations that run faster than real time need more."`
	ArriveWithin     int           `name:"arrive-within" default:"0" range:"0..100000" help:"How far from the pickup, in metres, a driver may report arrival. The position's stated accuracy is added, up to this distance again, and a position older than position-ttl does not count. 0: anywhere; the distance is recorded."`
	CompleteWithin   int           `name:"complete-within" default:"0" range:"0..100000" help:"How far from the drop-off, in metres, a driver may end the ride; likewise. Riders change their minds on the way: leave room for that."`
	Streets          string        `name:"streets" placeholder:"FILE" help:"Streets of the city: a map made by hexhail streets build, or an OpenStreetMap extract in PBF format, of which the map is made at the first start and kept in the data directory. Routes and travel times follow it. Without it, they are estimated from straight lines."`
	RouteURL         Secret        `name:"route-url" secret:"true" placeholder:"URL" help:"Server of routes that is asked before the map of streets, such as http://127.0.0.1:5000. It learns where rides begin and end, and where drivers are. An account in the URL is sent as Basic authentication, a query with every request. Prefer the environment for these, because flags are visible to everyone on the machine. Without it, no other server is asked."`
	RouteEngine      string        `name:"route-engine" default:"osrm" enum:"osrm,valhalla" help:"What the server at route-url speaks as: ${enum}."`
	StreetsLearn     bool          `name:"streets-learn" default:"true" negatable:"" help:"Learn travel times along the streets from completed rides. When off, the server neither learns nor uses what was learned before."`
	TimeZone         TimeZone      `name:"time-zone" default:"UTC" placeholder:"NAME" help:"Time zone of the city, such as Asia/Seoul: travel times are learned by its hours. All servers of a cluster must have the same."`
	ETASpeed         float64       `name:"eta-speed" default:"30" range:"1..200" help:"Assumed speed on the straight line, in km/h, where no map has a route."`
	ETADetour        float64       `name:"eta-detour" default:"1.3" range:"1..5" help:"Length of the way by road over the straight line."`
}

// Sockets bounds what one socket, one address and all of them may take.
type Sockets struct {
	Max            int           `default:"20000" range:"1..10000000" help:"Most sockets open at once. At most three quarters of the connections that the limit of open files leaves."`
	MaxPerAddress  int           `default:"1000" range:"1..10000000" help:"Most sockets open at once from one address (one /64 network in IPv6). Mobile carriers put many clients behind one. At most half of the connections that the limit of open files leaves."`
	MaxPerOperator int           `default:"8" range:"1..100" help:"Most sessions of one operator's account at once; a further one replaces the oldest. Riders and drivers have one."`
	ConnectWithin  time.Duration `default:"5s" range:"1s..1m" help:"How long an open socket may take to send its credentials."`
	MessageBytes   int           `default:"65536" range:"1024..65536" help:"Most bytes of one message from a client, all fragments together."`
	OutboxBytes    int           `default:"262144" range:"4096..67108864" help:"Most bytes that may wait for a slow client before it is closed."`
	PingInterval   time.Duration `default:"5s" range:"1s..5m" help:"Time between pings, with some jitter."`
	PongTimeout    time.Duration `default:"10s" range:"1s..5m" help:"A client that sends nothing, not even a pong, for longer than this is disconnected. At least twice the ping interval."`
	WriteTimeout   time.Duration `default:"10s" range:"1s..1m" help:"A client that takes no bytes for longer than this is disconnected."`
	SessionLinger  time.Duration `default:"2m" range:"0s..1h" help:"How long a session can be resumed after its socket closed."`
	HistoryBytes   int           `default:"49152" range:"512..49152" help:"Most bytes of events kept in memory per person for resuming a session, counted as protobuf with 64 for each event, and never more than 3/16 of socket-outbox-bytes: a replay in JSON has to fit there."`
	ReplayedEvents int           `default:"256" range:"16..65536" help:"Without effect since events are bounded by socket-history-bytes; still accepted."`
}

// Limits bounds how often clients may do what. Each is a token bucket.
type Limits struct {
	CommandsPerSecond  int           `default:"20" range:"1..10000" help:"Commands per second of one session."`
	CommandsBurst      int           `default:"50" range:"1..100000" help:"Commands that one session may send at once."`
	LocationsPerSecond int           `default:"10" range:"1..1000" help:"Positions per second of one driver; more are dropped, the newest wins."`
	RequestsPerSecond  float64       `default:"20" range:"0.1..10000" help:"HTTP requests per second of one address, and of one account. Tiles of the map have a bound of their own, ten times as high."`
	RequestsBurst      int           `default:"60" range:"1..100000" help:"HTTP requests that one address or account may send at once."`
	CancelsFree        int           `name:"cancels-free" default:"5" range:"1..1000000" help:"Trips that a rider may cancel after drivers were asked, or a driver give back, before the next request or acceptance has to wait: 5s, then twice as long each time, 10m at most. A driver may go online 4 times as often, and a rider cancel 8 times as often while no driver was asked."`
	CancelsForget      time.Duration `name:"cancels-forget" default:"2m" range:"1s..24h" help:"Time after which one of these cancellations is forgotten. A completed ride clears all of them."`
	SignInsPerMinute   float64       `name:"sign-ins-per-minute" default:"30" range:"0.1..100000" help:"Log-ins, sign-ups and password changes per minute from one address."`
}

// Shutdown says how the server ends.
type Shutdown struct {
	Grace      time.Duration `default:"20s" range:"1s..10m" help:"Longest time from SIGTERM to exit: refuse new sockets, notify clients, finish work in progress and write it."`
	RetryAfter time.Duration `default:"2s" range:"0s..5m" help:"How long clients are asked to wait before they reconnect, before jitter."`
}

// OutsideIssuer is another service whose tokens Hexhail accepts, such as an operator's own
// sign-in. Exactly one of JWKSURL and SharedSecret is set.
type OutsideIssuer struct {
	Issuer         string      `yaml:"issuer" help:"The iss claim, compared exactly."`
	Audience       string      `yaml:"audience" help:"The aud claim that tokens must carry."`
	JWKSURL        string      `yaml:"jwks-url" help:"https URL of the issuer's keys (JWKS)."`
	SharedSecret   Secret      `yaml:"shared-secret" help:"Secret shared with the issuer instead of keys, at least 32 bytes."`
	Algorithm      string      `yaml:"algorithm" help:"The one accepted signature algorithm: RS256, ES256, EdDSA and their variants with keys; HS256 with a secret."`
	RoleClaim      string      `yaml:"role-claim" help:"Claim that says rider or driver when an account is made. Default: role."`
	Roles          []ride.Role `yaml:"roles" help:"Roles that the issuer may vouch for. Default: rider and driver. It vouches for operators only when operator is listed."`
	CreateAccounts bool        `yaml:"create-accounts" help:"Create an account at the first visit of a person with a valid token."`
}

// DatabasePath is the file of the embedded database.
func (c *Config) DatabasePath() string { return filepath.Join(c.Store.DataDir, "hexhail.db") }

// SigningKeyPath is the file of the key that signs access tokens.
func (c *Config) SigningKeyPath() string {
	if c.Store.SigningKeyFile != "" {
		return c.Store.SigningKeyFile
	}
	return filepath.Join(c.Store.DataDir, "signing-key.pem")
}

// TokenIssuer is the issuer that our own access tokens name.
func (c *Config) TokenIssuer() string {
	switch {
	case c.Auth.TokenIssuer != "":
		return c.Auth.TokenIssuer
	case c.HTTP.PublicURL != "":
		return c.HTTP.PublicURL
	}
	return "hexhail"
}

// Policy is the dispatch policy of new trips.
func (c *Config) Policy() ride.Policy {
	d := c.Dispatch
	kind := ride.PolicyKind(d.Policy)
	return ride.Policy{
		Kind: kind, Door: d.Place == "door" || d.Place == "by-policy" && kind.AsksByDoor(), Award: ride.Award(d.Award), AwardWindow: d.AwardWindow,
		Exclusive: d.Hold || kind == ride.PolicyNearest || kind == ride.PolicyBatch, MaxETA: d.MaxETA,
		Cap: d.Cap, RingStart: d.RingStart, RingStep: d.RingStep, RingMax: d.RingMax,
		WaveEvery: d.WaveEvery, OfferTTL: d.OfferTTL, AsksPerDriver: d.AsksPerDriver,
		Exchanges: d.Exchanges, ExchangeFare: d.ExchangeFare,
	}
}

// Rules are the rules of a new trip that is priced by the tariff.
func (c *Config) Rules(tariff ride.Tariff) ride.Rules {
	r := ride.Rules{
		Policy: c.Policy(), Tariff: tariff,
		SearchFor: c.Trip.SearchFor, PickupWithin: c.Trip.PickupWithin,
		BoardWithin: c.Trip.BoardWithin, RideWithin: c.Trip.RideWithin,
		ArriveWithinM: float64(c.Map.ArriveWithin), CompleteWithinM: float64(c.Map.CompleteWithin),
	}
	if r.ArriveWithinM > 0 || r.CompleteWithinM > 0 {
		r.PositionWithin = c.Map.PositionTTL
	}
	return r
}

// TLS reports whether Hexhail itself speaks TLS to clients.
func (c *Config) TLS() bool { return c.HTTP.TLSCert != "" || len(c.HTTP.TLSAuto) > 0 }

// CertificatesPath is the folder of the certificates that tls-auto obtained.
func (c *Config) CertificatesPath() string { return filepath.Join(c.Store.DataDir, "certificates") }
