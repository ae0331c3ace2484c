package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/ride"
)

// CityMap is the file that the city's map is from. Implementations are safe for concurrent use.
type CityMap interface {
	State() CityMapState
	// Reload reads the file again and puts the new map in the place of the old one, which stays if that
	// fails. It goes on when the context ends before it does, and then returns the context's error.
	// Other errors are *ride.Error.
	Reload(ctx context.Context) error
}

// CityMapState is what is known of the file.
type CityMapState struct {
	LoadedAt time.Time // of the map in use
	Loading  bool      // a reload is under way
	Percent  int       // of it
	Failure  string    // why the last reload failed; empty: it did not
	FailedAt time.Time
}

const (
	sourcePath     = "/v1/streets/source"
	sourceFilePath = sourcePath + "/file"
)

func (a *API) registerStreets() {
	register(a, operation{
		id: "streets-source", method: http.MethodGet, path: sourcePath, tag: "Streets", summary: "Where the map of the streets is from",
		doc:    "Who made the data, under which licence they may be used, and where to get them. It is for everyone, as the licence asks.",
		errors: []*ride.Error{ride.ErrNotFound},
	}, a.streetsSource)
	register(a, operation{
		id: "streets-source-file", method: http.MethodGet, path: sourceFilePath, tag: "Streets", summary: "The map of the streets as a file",
		doc: "The whole map that this server routes on, in the format of `hexhail streets build`, which is a database under the licence that " +
			"`GET " + sourcePath + "` names; `hexhail streets info` prints what it holds. Four are sent at once, one to each network. A download that " +
			"is slower than 64 KiB/s may be cut off; Range continues it.",
		errors: []*ride.Error{ride.ErrNotFound},
	}, a.streetsFile)
	describeFile(a.huma.OpenAPI().Paths[sourceFilePath].Get)
	register(a, operation{
		id: "admin-get-streets", method: http.MethodGet, path: "/v1/admin/streets", tag: "Operators", summary: "The map of the streets in use, of this node",
		roles: operators, errors: []*ride.Error{ride.ErrNotFound},
	}, a.adminStreets)
	register(a, operation{
		id: "admin-reload-streets", method: http.MethodPost, path: "/v1/admin/streets/reload", tag: "Operators",
		summary: "Load the map of the streets again, on this node",
		doc: "Reads the file of `streets` again. If it cannot be used, the map before stays. A map that has to be built first takes longer " +
			"than this request: then `loading` is true, and `GET /v1/admin/streets` says how far it is and how it ended.",
		roles: operators, whole: true, errors: []*ride.Error{ride.ErrNotFound, ride.ErrWrongStatus},
	}, a.adminReloadStreets)
	register(a, operation{
		id: "admin-street-times", method: http.MethodGet, path: "/v1/admin/streets/times", tag: "Operators",
		summary: "Planned and actual times of rides by hour, and what was learned of them", roles: operators,
	}, a.adminStreetTimes)
}

type sourceView struct {
	ID             string     `json:"id" doc:"The map's."`
	Licence        string     `json:"licence" doc:"SPDX identifier."`
	LicenceURL     string     `json:"licence_url" doc:"Its text."`
	Attribution    string     `json:"attribution"`
	AttributionURL string     `json:"attribution_url"`
	Extract        string     `json:"extract" doc:"Name of the OpenStreetMap extract of which the map was made."`
	Origin         string     `json:"origin" doc:"Where the extract says that its data are from; empty if it does not."`
	Date           *time.Time `json:"date,omitempty" doc:"The state of the data, if the extract says so."`
	Builder        string     `json:"builder" doc:"The program that made the map of the extract."`
	FileURL        string     `json:"file_url" doc:"Where to get the whole map, relative to this server."`
}

func showSource(m *streets.Map) sourceView {
	meta := m.Meta()
	v := sourceView{
		ID: m.ID(), Licence: meta.Licence, LicenceURL: meta.LicenceURL, Attribution: meta.Attribution, AttributionURL: creditURL,
		Extract: meta.Source, Origin: meta.Origin, Builder: meta.Builder, FileURL: sourceFilePath,
	}
	if !meta.Date.IsZero() {
		date := meta.Date.UTC()
		v.Date = &date
	}
	return v
}

var errNoStreets = ride.ErrNotFound.With("This server has no map of the streets.")

func (a *API) streetsSource(context.Context, *struct{}) (*body[sourceView], error) {
	m := a.streets()
	if m == nil {
		return nil, errNoStreets
	}
	return answer(showSource(m)), nil
}

type cityMapView struct {
	Source   *sourceView `json:"source,omitempty" doc:"The map in use; absent: there is none."`
	LoadedAt *time.Time  `json:"loaded_at,omitempty"`
	Loading  bool        `json:"loading" doc:"Whether it is being loaded again."`
	Percent  int         `json:"percent" doc:"How far that has got."`
	Failure  string      `json:"failure" doc:"Why the last reload failed; empty if it did not."`
	FailedAt *time.Time  `json:"failed_at,omitempty"`
}

func (a *API) showCityMap() (*body[cityMapView], error) {
	if a.deps.CityMap == nil {
		return nil, errNoStreets
	}
	s := a.deps.CityMap.State()
	v := cityMapView{Loading: s.Loading, Percent: s.Percent, Failure: s.Failure}
	if m := a.streets(); m != nil {
		source := showSource(m)
		v.Source = &source
	}
	for at, shown := range map[*time.Time]**time.Time{&s.LoadedAt: &v.LoadedAt, &s.FailedAt: &v.FailedAt} {
		if !at.IsZero() {
			t := at.UTC()
			*shown = &t
		}
	}
	return answer(v), nil
}

func (a *API) adminStreets(context.Context, *struct{}) (*body[cityMapView], error) {
	return a.showCityMap()
}

// leaveTime is the part of a request's time that is left for its answer.
const leaveTime = time.Second

func (a *API) adminReloadStreets(ctx context.Context, in *struct{ Body reasonRequest }) (*body[cityMapView], error) {
	if a.deps.CityMap == nil {
		return nil, errNoStreets
	}
	err := a.audited(ctx, "streets.reload", "", in.Body.Reason, func() error {
		wait, done := context.WithTimeout(ctx, max(a.cfg.Timeout-leaveTime, a.cfg.Timeout/2))
		defer done()
		err := a.deps.CityMap.Reload(wait)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return nil // it goes on, and the answer says so
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.showCityMap()
}
