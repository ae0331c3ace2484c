package api

import (
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/view"
	"github.com/hexhail/hexhail/transport/auth"
)

// accountView is an account as its owner sees it.
type accountView struct {
	ID         ride.AccountID     `json:"id"`
	Role       ride.Role          `json:"role" enum:"rider,driver,operator"`
	Status     ride.AccountStatus `json:"status" enum:"active,suspended"`
	Username   string             `json:"username"`
	FirstName  string             `json:"first_name"`
	LastName   string             `json:"last_name"`
	PhotoURL   string             `json:"photo_url" doc:"Relative to this server; empty: none."`
	Vehicle    *vehicleView       `json:"vehicle,omitzero" doc:"Of drivers."`
	Approval   *approvalView      `json:"approval,omitzero" doc:"For drivers: whether an operator lets them drive."`
	RatingX100 int64              `json:"rating_x100" doc:"Mean stars times 100, 0 while unrated."`
	Ratings    int64              `json:"ratings" doc:"The number of ratings behind the mean."`
	CreatedAt  time.Time          `json:"created_at"`
}

type vehicleView struct {
	Class  string `json:"class"`
	Plate  string `json:"plate"`
	Make   string `json:"make" doc:"Empty: not given."`
	Model  string `json:"model" doc:"Empty: not given."`
	Colour string `json:"colour" doc:"Empty: not given."`
}

// approvalView is what an operator decided about a driver.
type approvalView struct {
	State  ride.Approval `json:"state" enum:"pending,approved,refused" doc:"Only an approved driver can go online."`
	Reason string        `json:"reason" doc:"Why the driver was refused, in the operator's words."`
}

func showApproval(a ride.Account) *approvalView {
	v := view.Approval(a)
	if v == nil {
		return nil
	}
	return &approvalView{State: ride.Approval(v.State), Reason: v.Reason}
}

func showAccount(a ride.Account) accountView {
	v := accountView{
		ID: a.ID, Role: a.Role, Status: a.Status, Username: a.Username, FirstName: a.FirstName, LastName: a.LastName,
		PhotoURL: view.PhotoURL(a.PhotoID), RatingX100: a.Rating.X100(), Ratings: a.Rating.Count,
		CreatedAt: a.CreatedAt.UTC(),
	}
	if a.Role == ride.RoleDriver {
		v.Vehicle = &vehicleView{
			Class: a.Vehicle.Class, Plate: a.Vehicle.Plate,
			Make: a.Vehicle.Make, Model: a.Vehicle.Model, Colour: a.Vehicle.Colour,
		}
	}
	v.Approval = showApproval(a)
	return v
}

// adminAccountView is an account as operators see it.
type adminAccountView struct {
	Account   accountView `json:"account"`
	Issuer    string      `json:"issuer" doc:"The outside issuer that vouches for it; empty: it has a password here."`
	UpdatedAt time.Time   `json:"updated_at"`
	// ActiveTrip is only set for a single account.
	ActiveTrip ride.TripID `json:"active_trip,omitempty" doc:"The trip that occupies it; in lists absent."`
}

func showAdminAccount(a ride.Account) adminAccountView {
	return adminAccountView{Account: showAccount(a), Issuer: a.Issuer, UpdatedAt: a.UpdatedAt.UTC()}
}

// tokensView are the tokens of a log-in.
type tokensView struct {
	AccessToken      string    `json:"access_token" doc:"For the Authorization header and the socket's connect message."`
	TokenType        string    `json:"token_type" enum:"Bearer"`
	ExpiresAt        time.Time `json:"expires_at" doc:"When the access token expires."`
	ExpiresInS       int64     `json:"expires_in_s" minimum:"0" doc:"The same as whole seconds from this answer on, for clients whose clock is wrong."`
	RefreshToken     string    `json:"refresh_token" doc:"For POST /v1/refresh, once, or again shortly if the answer was lost."`
	RefreshExpiresAt time.Time `json:"refresh_expires_at"`
}

func showTokens(t auth.Tokens) tokensView {
	return tokensView{
		AccessToken: t.Access, TokenType: "Bearer", ExpiresAt: t.AccessExpiresAt.UTC(), ExpiresInS: int64(t.AccessLife / time.Second),
		RefreshToken: t.Refresh, RefreshExpiresAt: t.RefreshExpiresAt.UTC(),
	}
}

// signedInView is the answer of every operation that signs a person in.
type signedInView struct {
	Account accountView `json:"account"`
	Tokens  tokensView  `json:"tokens"`
}

// Paging are the parameters of a list. Like all that is embedded in inputs it is exported
// because huma passes over what is not.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"256" doc:"next_cursor of the page before."`
}

func (p Paging) page() ride.Page { return ride.Page{Limit: p.Limit, Cursor: p.Cursor} }

// list is a page of a list, newest first.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor" doc:"For the next page; empty at the end."`
}

// body wraps an answer, as huma wants it.
type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{v} }

type nothing struct{}

// configView is what clients should know before they sign in.
type configView struct {
	VehicleClasses []classView    `json:"vehicle_classes"`
	CurrencyDigits map[string]int `json:"currency_digits" doc:"How many decimals the minor unit of each ISO 4217 currency has, such as 2 for USD and 0 for JPY: divide an amount by 10 to this power to show it. Do not take the decimals from a browser's Intl, which has others for HUF, IDR, COP and more."`
	HeartbeatMS    int64          `json:"heartbeat_ms" doc:"How often the server pings a socket."`
	PositionTTLMS  int64          `json:"position_ttl_ms" doc:"A driver whose last position is older gets no offers."`
	H3Resolution   int            `json:"h3_resolution" minimum:"0" maximum:"15" doc:"The H3 resolution of all cells that clients see: pickup areas of offers, rings of searches, areas of the consoles' feed."`
	CellRingM      int64          `json:"cell_ring_m" doc:"How far one ring of cells reaches, in metres: a search in ring 2 covers about 2.5 times that around the pickup."`
	ArriveWithinM  int            `json:"arrive_within_m" doc:"How far from the pickup, in metres, arrived is accepted; 0: anywhere."`
	CompleteWithin int            `json:"complete_within_m" doc:"How far from the drop-off, in metres, complete_trip is accepted; 0: anywhere."`
	TripPIN        bool           `json:"trip_pin" doc:"Trips start with a PIN of 4 digits: the rider sees it in their trip, and the driver sends it with start_trip."`
	SignUpOpen     bool           `json:"sign_up_open"`
	DriverApproval bool           `json:"driver_approval" doc:"A driver who signs up waits until an operator approves the account."`
	Trial          bool           `json:"trial" doc:"The server runs for a first try, with drivers approved at once; apps show that."`
	SimulatedDrive bool           `json:"simulated_drive" doc:"A driver's app may offer to simulate the drive: only in demonstrations and trials."`
	SocketPath     string         `json:"socket_path"`
	Subprotocols   []string       `json:"subprotocols"`
	MaxPhotoBytes  int            `json:"max_photo_bytes"`
	Demo           bool           `json:"demo" doc:"This server is a demonstration; see GET /v1/demo."`
	Home           *homeView      `json:"home,omitempty" doc:"Where maps open before there is anything to show. Absent: not configured."`
	SupportContact string         `json:"support_contact" doc:"The contact for people who cannot sign in or need help: an e-mail address, a phone number, a web address or a short text. Empty: not configured."`
	Map            mapView        `json:"map" doc:"What maps are drawn from. Empty texts: nothing is set up."`
}

type homeView struct {
	Lat  float64 `json:"lat" doc:"Degrees."`
	Lng  float64 `json:"lng" doc:"Degrees."`
	Zoom float64 `json:"zoom" minimum:"1" maximum:"18" doc:"The zoom level as in web maps: 12 shows a city."`
}

type mapView struct {
	StyleURL    string       `json:"style_url" doc:"A MapLibre style."`
	PMTilesURL  string       `json:"pmtiles_url" doc:"Vector tiles in one PMTiles file in the Protomaps schema, for maps without a style."`
	Attribution string       `json:"attribution" doc:"The credit that maps must show."`
	GeocoderURL string       `json:"geocoder_url" doc:"A server that answers as Photon does and finds addresses; perhaps a path on this server, /v1/search, whose map then finds them."`
	Streets     *streetsView `json:"streets,omitempty" doc:"The server's own map of the city's streets. Absent: it has none."`
}

// streetsView is the server's own map.
type streetsView struct {
	ID          string     `json:"id" doc:"Changes with the streets."`
	Bounds      boundsView `json:"bounds" doc:"The part of the world that it covers."`
	Attribution string     `json:"attribution" doc:"The credit to show, linked to attribution_url, with everything made of the map: routes, tiles, names."`
	CreditURL   string     `json:"attribution_url"`
}

type boundsView struct {
	South float64 `json:"south" doc:"Degrees, like the others."`
	West  float64 `json:"west"`
	North float64 `json:"north"`
	East  float64 `json:"east"`
}

type classView struct {
	Class          string `json:"class"`
	Currency       string `json:"currency" doc:"ISO 4217; all amounts are in its minor units."`
	CurrencyDigits int    `json:"currency_digits" minimum:"0" maximum:"4" doc:"How many decimals the currency's minor unit has."`
	BaseMinor      int64  `json:"base_minor"`
	PerKmMinor     int64  `json:"per_km_minor"`
	PerMinuteMinor int64  `json:"per_minute_minor"`
	MinimumMinor   int64  `json:"minimum_minor"`
	Seats          int    `json:"seats"`
}
