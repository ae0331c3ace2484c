package routers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/drives"
	"github.com/hexhail/hexhail/geo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func place(p geo.Point) geo.Place { return geo.Place{Point: p} }

func TestRoutesOfBothServers(t *testing.T) {
	for by, c := range map[geo.Source]struct{ inward, outward string }{
		geo.ByOSRM: {osrmInward, osrmOutward}, geo.ByValhalla: {valhallaInward, valhallaOutward},
	} {
		t.Run(by.String(), func(t *testing.T) {
			routes, err := asked(t, by, says(c.inward)).Routes(t.Context(), []geo.Point{torstr, platz}, friedrich)
			require.NoError(t, err)
			require.InDelta(t, 1824, routes[0].DistanceM, 0.5)
			require.Equal(t, 199*time.Second, routes[0].Duration)
			require.Equal(t, by, routes[0].By)
			require.InDelta(t, 3275, routes[1].DistanceM, 0.5)
			require.InDelta(t, 345, routes[1].Duration.Seconds(), 0.5)

			routes, err = asked(t, by, says(c.outward)).From(t.Context(), place(friedrich), []geo.Place{place(torstr), place(platz)}, time.Time{})
			require.NoError(t, err)
			require.InDelta(t, 1887, routes[0].DistanceM, 0.5)
			require.Equal(t, geo.Unreachable(), routes[1])
		})
	}
}

func TestPlansOfBothServers(t *testing.T) {
	for by, answer := range map[geo.Source]string{geo.ByOSRM: osrmPlan(), geo.ByValhalla: valhallaPlan()} {
		t.Run(by.String(), func(t *testing.T) {
			p, err := asked(t, by, says(answer)).Plan(t.Context(), place(friedrich), place(torstr), time.Time{})
			require.NoError(t, err)
			require.Len(t, p.Line, len(way))
			for i := range way {
				require.Less(t, geo.DistanceM(way[i], p.Line[i]), 0.2)
			}
			require.InDelta(t, lengthM(p.Line), p.DistanceM, 1e-6, "a plan is as long as its line")
			require.Equal(t, 190500*time.Millisecond, p.Duration)
			require.Equal(t, by, p.By)
			require.Equal(t, by.String(), p.MapID)
			require.Equal(t, []string{"Friedrichstraße", "Torstraße"}, []string{p.FromName, p.ToName})
			var got []string
			var sum geo.Route
			for _, s := range p.Steps {
				got = append(got, s.Turn.String()+" "+s.Street)
				sum.DistanceM, sum.Duration = sum.DistanceM+s.Route.DistanceM, sum.Duration+s.Route.Duration
				require.Equal(t, p.Line[s.Index], s.Position)
			}
			require.Equal(t, []string{"depart Friedrichstraße", "roundabout Hannoversche Straße", "sharp_left ", "arrive Torstraße"}, got)
			require.Equal(t, 2, p.Steps[1].Exit)
			require.Equal(t, 70*time.Second, p.Steps[1].Route.Duration, "with the way to the exit")
			require.Equal(t, []int{0, 1, 3, 4}, []int{p.Steps[0].Index, p.Steps[1].Index, p.Steps[2].Index, p.Steps[3].Index})
			require.InDelta(t, p.DistanceM, sum.DistanceM, 1e-6)
			require.Equal(t, p.Duration, sum.Duration)
		})
	}
}

// TestWhatIsAsked: the words of both protocols, the address with its path, account and key.
func TestWhatIsAsked(t *testing.T) {
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	router := func(by geo.Source) *Router {
		address := strings.Replace(s.URL, "http://", "http://city:secret@", 1) + "/maps/?key=hidden#"
		r, err := New(Options{Engine: by, URL: address, Version: "1.2", Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		r.client.wait = time.Minute
		t.Cleanup(r.Close)
		return r
	}
	_, err := router(geo.ByOSRM).Routes(t.Context(), []geo.Point{torstr, platz}, friedrich)
	require.ErrorIs(t, err, errAnswer)
	require.Equal(t, "/maps/table/v1/driving/13.38886,52.51704;13.39763,52.52941;13.42856,52.52322", got.URL.Path)
	q := got.URL.Query()
	require.Equal(t, []string{"1;2", "0", "duration,distance", "hidden"}, []string{q.Get("sources"), q.Get("destinations"), q.Get("annotations"), q.Get("key")})
	name, password, _ := got.BasicAuth()
	require.Equal(t, []string{"city", "secret", "hexhail 1.2"}, []string{name, password, got.UserAgent()})

	_, err = router(geo.ByOSRM).Plan(t.Context(), place(friedrich), place(torstr), time.Time{})
	require.ErrorIs(t, err, errAnswer)
	require.Equal(t, "/maps/route/v1/driving/13.38886,52.51704;13.39763,52.52941", got.URL.Path)
	require.Equal(t, "polyline6", got.URL.Query().Get("geometries"))

	_, err = router(geo.ByValhalla).From(t.Context(), place(friedrich), []geo.Place{place(torstr), place(platz)}, time.Time{})
	require.ErrorIs(t, err, errAnswer)
	require.Equal(t, "/maps/sources_to_targets?key=hidden", got.URL.RequestURI())
	require.JSONEq(t, `{"sources":[{"lat":52.51704,"lon":13.38886}],"targets":[{"lat":52.52941,"lon":13.39763},{"lat":52.52322,"lon":13.42856}],
		"costing":"auto","units":"kilometers"}`, string(body))
	_, err = router(geo.ByValhalla).Plan(t.Context(), place(friedrich), place(torstr), time.Time{})
	require.ErrorIs(t, err, errAnswer)
	require.Equal(t, "/maps/route?key=hidden", got.URL.RequestURI())
	require.JSONEq(t, `{"locations":[{"lat":52.51704,"lon":13.38886},{"lat":52.52941,"lon":13.39763}],"costing":"auto","units":"kilometers"}`, string(body))
}

func TestWhoCanBeAsked(t *testing.T) {
	for _, o := range []Options{
		{Engine: geo.ByOSRM, URL: "ftp://host"}, {Engine: geo.ByOSRM, URL: "/path"}, {Engine: geo.ByOSRM, URL: "http://a:secret@b:x"},
		{Engine: geo.ByOSRM}, {Engine: geo.ByStreets, URL: "http://host"},
	} {
		o.Log = slog.New(slog.DiscardHandler)
		_, err := New(o)
		require.Error(t, err, o.URL)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestNoFailureOfTheServerIsOneOfARequest: what a server does wrong is a straight line, and a plan that
// cannot be had is no route.
func TestNoFailureOfTheServerIsOneOfARequest(t *testing.T) {
	huge := []byte(strings.Repeat(" ", 1<<20))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	both := map[string]http.HandlerFunc{
		"says nothing":  says(""),
		"says nonsense": says("<html>"),
		"says null":     says("null"),
		"says {}":       says("{}"),
		"fails":         refuses(500, osrmInward),
		"is overloaded": refuses(429, ""),
		"finds no way":  refuses(400, `{"code":"NoRoute","error_code":442}`),
		"has no street": refuses(400, `{"code":"NoSegment","error_code":171}`),
		"wants a key":   refuses(401, `{}`),
		"sends away":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"sends in rings": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"is silent": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"stops halfway": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"code":"Ok",`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"closes": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"closes halfway": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, osrmInward)
		},
		"says very much": func(w http.ResponseWriter, _ *http.Request) {
			for range maxAnswer>>20 + 1 {
				if _, err := w.Write(huge); err != nil {
					return
				}
			}
		},
	}
	own := map[geo.Source]map[string]string{
		geo.ByOSRM: {
			"a refusal with 200": `{"code":"InvalidQuery"}`,
			"a larger table":     osrmInward,
			"no distances":       `{"code":"Ok","durations":[[199]],"sources":[{}],"destinations":[{}]}`,
			"a place far away":   `{"code":"Ok","durations":[[199]],"distances":[[1824]],"sources":[{"distance":5000}],"destinations":[{}]}`,
			"too short":          `{"code":"Ok","durations":[[199]],"distances":[[900]],"sources":[{}],"destinations":[{}]}`,
			"too fast":           `{"code":"Ok","durations":[[19]],"distances":[[1824]],"sources":[{}],"destinations":[{}]}`,
			"too slow":           `{"code":"Ok","durations":[[99999]],"distances":[[1824]],"sources":[{}],"destinations":[{}]}`,
			"less than nothing":  `{"code":"Ok","durations":[[-1]],"distances":[[1824]],"sources":[{}],"destinations":[{}]}`,
			"endless":            `{"code":"Ok","durations":[[1e300]],"distances":[[1e300]],"sources":[{}],"destinations":[{}]}`,
			"no number":          `{"code":"Ok","durations":[[NaN]],"distances":[[NaN]],"sources":[{}],"destinations":[{}]}`,
		},
		geo.ByValhalla: {
			"a larger table": valhallaInward,
			"miles":          `{"sources_to_targets":[[{"distance":1.824,"time":199}]],"units":"miles"}`,
			"too short":      `{"sources_to_targets":[[{"distance":0.9,"time":199}]],"units":"kilometers"}`,
			"no time":        `{"sources_to_targets":[[{"distance":1.824}]],"units":"kilometers"}`,
		},
	}
	crow, err := geo.StraightLine{}.Route(t.Context(), torstr, friedrich)
	require.NoError(t, err)
	for by, answers := range own {
		cases := map[string]http.HandlerFunc{}
		for name, answer := range answers {
			cases[name] = says(answer)
		}
		for name, h := range both {
			cases[name] = h
		}
		for name, h := range cases {
			t.Run(by.String()+" "+name, func(t *testing.T) {
				r := asked(t, by, h)
				r.client.wait = 100 * time.Millisecond
				d := drives.New(slog.New(slog.DiscardHandler), geo.StraightLine{}, drives.Named{By: by, Source: r})
				got, err := d.Route(t.Context(), torstr, friedrich)
				require.NoError(t, err)
				require.Equal(t, crow, got)
				_, err = r.Plan(t.Context(), place(torstr), place(friedrich), time.Time{})
				require.Error(t, err)
				_, err = d.Plan(t.Context(), place(torstr), place(friedrich), time.Time{})
				require.ErrorIs(t, err, geo.ErrNoRoute)
			})
		}
	}
}

// TestWrongPlans: each is right but for one thing.
func TestWrongPlans(t *testing.T) {
	for name, c := range map[string]struct {
		by        geo.Source
		old, with string
	}{
		"no end":               {geo.ByOSRM, `"arrive"`, `"turn"`},
		"no beginning":         {geo.ByOSRM, `"depart"`, `"turn"`},
		"an end on the way":    {geo.ByOSRM, `"exit roundabout"`, `"arrive"`},
		"a time before":        {geo.ByOSRM, `"duration":60`, `"duration":-60`},
		"a line with a gap":    {geo.ByOSRM, jsonText(encode(way[3:]...)), jsonText(encode(friedrich, torstr))},
		"an unreadable line":   {geo.ByOSRM, jsonText(encode(way[3:]...)), `"\u0001"`},
		"an empty line":        {geo.ByOSRM, jsonText(encode(way[3:]...)), `""`},
		"off the earth":        {geo.ByOSRM, jsonText(encode(way[3:]...)), jsonText(encode(way[3], geo.Point{Lat: 91}))},
		"another length":       {geo.ByOSRM, `"routes":[{"distance":`, `"routes":[{"distance":9`},
		"a place far away":     {geo.ByOSRM, `"distance":4.1`, `"distance":4100`},
		"miles":                {geo.ByValhalla, `"kilometers"`, `"miles"`},
		"beside the line":      {geo.ByValhalla, `"end_shape_index":3`, `"end_shape_index":30`},
		"backwards":            {geo.ByValhalla, `"begin_shape_index":2`, `"begin_shape_index":4`},
		"a broken line":        {geo.ByValhalla, `"shape":"`, `"shape":"!`},
		"no end, in Valhalla":  {geo.ByValhalla, `"type":5`, `"type":8`},
		"no steps in Valhalla": {geo.ByValhalla, `"maneuvers"`, `"other"`},
	} {
		t.Run(name, func(t *testing.T) {
			right := map[geo.Source]string{geo.ByOSRM: osrmPlan(), geo.ByValhalla: valhallaPlan()}[c.by]
			wrong := strings.Replace(right, c.old, c.with, 1)
			require.NotEqual(t, right, wrong)
			_, err := asked(t, c.by, says(wrong)).Plan(t.Context(), place(friedrich), place(torstr), time.Time{})
			require.True(t, errors.Is(err, errAnswer) || errors.Is(err, geo.ErrNoRoute), "%v", err)
		})
	}
	far := geo.Destination(torstr, 0, 20_000)
	_, err := asked(t, geo.ByOSRM, says(osrmPlan())).Plan(t.Context(), place(friedrich), place(far), time.Time{})
	require.ErrorIs(t, err, geo.ErrNoRoute, "a plan for other places")
}

func jsonText(s string) string { return strconv.Quote(s) }

func TestInvalidQuestions(t *testing.T) {
	r := asked(t, geo.ByOSRM, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	bad := geo.Point{Lat: 91}
	_, err := r.Route(t.Context(), bad, torstr)
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
	_, err = r.Routes(t.Context(), []geo.Point{torstr, bad}, torstr)
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
	_, err = r.Plan(t.Context(), place(torstr), place(bad), time.Time{})
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
	routes, err := r.Routes(t.Context(), nil, torstr)
	require.NoError(t, err)
	require.Empty(t, routes)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = r.Routes(ended, []geo.Point{torstr, platz}, friedrich)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Plan(ended, place(torstr), place(platz), time.Time{})
	require.ErrorIs(t, err, context.Canceled)
}

// TestManyDrives: a search with more drivers than a request holds gets all answers, each at its place.
func TestManyDrives(t *testing.T) {
	const n = 2*perRequest + 7
	var requests atomic.Int32
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		places := strings.Split(strings.TrimPrefix(r.URL.Path, "/table/v1/driving/"), ";")
		var seconds, metres, sources []string
		for _, p := range places[1:] { // a drive takes as long as its end is east, so that each has its own
			lng, err := strconv.ParseFloat(strings.Split(p, ",")[0], 64)
			if err != nil {
				t.Error(err)
			}
			seconds = append(seconds, "["+strconv.FormatFloat((lng-13)*1000, 'f', 1, 64)+"]")
			metres, sources = append(metres, "[4000]"), append(sources, "{}")
		}
		_, _ = io.WriteString(w, `{"code":"Ok","durations":[`+strings.Join(seconds, ",")+`],"distances":[`+strings.Join(metres, ",")+
			`],"sources":[`+strings.Join(sources, ",")+`],"destinations":[{}]}`)
	})
	from := make([]geo.Point, n)
	for i := range from {
		from[i] = geo.Point{Lat: friedrich.Lat, Lng: 13.37 + float64(i)*0.0001}
	}
	routes, err := r.Routes(t.Context(), from, friedrich)
	require.NoError(t, err)
	require.EqualValues(t, 3, requests.Load())
	for i, route := range routes {
		require.InDelta(t, 370+0.1*float64(i), route.Duration.Seconds(), 0.06, "%d", i)
	}
}
