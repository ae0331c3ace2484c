package api

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// detail is a trip as a test reads it.
type detail struct {
	Trip   json.RawMessage  `json:"trip"`
	Events []map[string]any `json:"events"`
	Track  []trackPoint     `json:"track"`
}

func (w *world) trip(id, as string) (detail, string) {
	w.t.Helper()
	path := "/v1/trips/" + id
	if as == "operator" {
		path = "/v1/admin/trips/" + id
	}
	var d detail
	got := w.do(request{method: "GET", path: path, as: as}).ok(200, &d)
	return d, got.Body.String()
}

func kinds(d detail) []string {
	var out []string
	for _, e := range d.Events {
		out = append(out, e["kind"].(string))
	}
	return out
}

// TestTripIsWhatTheSocketsShow: byte for byte the codec's form of the common view.
func TestTripIsWhatTheSocketsShow(t *testing.T) {
	w := newWorld(t)
	for _, upTo := range []int{storyRequested, storyReleased, storyMatched, storyWhole} {
		trip := w.story("t", upTo)
		for _, as := range []string{"rider", "driver", "operator"} {
			r := view.Reader{Account: w.people[as].ID, Role: w.people[as].Role}
			if !r.May(&trip) {
				continue
			}
			want, err := wire.JSON.Marshal(view.Trip(&trip, r))
			require.NoError(t, err)
			d, _ := w.trip("t", as)
			require.Equal(t, string(want), string(d.Trip))
		}
	}
}

func TestTripHistoryOfTheRider(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyWhole)
	d, raw := w.trip("t", "rider")
	require.Equal(t, []string{"requested", "wave_planned", "offers_ended", "matched", "released", "wave_planned", "matched",
		"arrived", "started", "completed", "rated"}, kinds(d))
	require.Equal(t, map[string]any{"version": 2.0, "kind": "wave_planned", "at": d.Events[1]["at"], "wave": 1.0, "ring": 1.0, "asked": 2.0}, d.Events[1])
	require.Equal(t, map[string]any{"version": 11.0, "kind": "rated", "at": d.Events[10]["at"], "by": "rider", "stars": 4.0}, d.Events[10])
	require.Len(t, d.Track, 2, "of the driver that it had to the end")
	require.NotContains(t, raw, string(w.people["driver2"].ID))
	require.NotContains(t, raw, "flat tyre")
}

func TestTripHistoryOfTheDriver(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyWhole)
	d, raw := w.trip("t", "driver")
	require.Equal(t, []string{"requested", "matched", "arrived", "started", "completed", "rated"}, kinds(d))
	require.Equal(t, "driver", d.Events[5]["by"])
	for _, secret := range []string{string(w.people["driver2"].ID), secretPIN, secretComment, "flat tyre", "37.1", "DRIVER2"} {
		require.NotContains(t, raw, secret)
	}
	require.Len(t, d.Track, 2)
}

func TestTripHistoryOfOperators(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyWhole)
	d, raw := w.trip("t", "operator")
	require.Len(t, d.Events, storyWhole)
	require.Len(t, d.Track, 3)
	require.Contains(t, raw, `"verdict":"offered"`)
	require.Contains(t, raw, secretComment)
	require.NotContains(t, raw, secretPIN, "the PIN is between rider and driver")
}

// TestNobodyElseLearnsAnything asks for a trip in each state as those it does not
// concern, and compares with a trip that does not exist.
func TestNobodyElseLearnsAnything(t *testing.T) {
	w := newWorld(t)
	for upTo := 1; upTo <= storyWhole; upTo++ {
		w.story("t", upTo)
		none := w.do(request{method: "GET", path: "/v1/trips/none", as: "rider2"}).Body.String()
		for _, as := range []string{"rider2", "driver2", "driver"} {
			if as == "driver2" && upTo == 4 || as == "driver" && upTo >= storyMatched {
				continue // its trip
			}
			got := w.do(request{method: "GET", path: "/v1/trips/t", as: as})
			got.refused(ride.ErrNotFound, 404)
			require.Equal(t, none, got.Body.String(), "missing and foreign look the same")
			var l struct{ Items []json.RawMessage }
			w.do(request{method: "GET", path: "/v1/trips", as: as}).ok(200, &l)
			require.Empty(t, l.Items)
		}
	}
}

func TestListTrips(t *testing.T) {
	w := newWorld(t)
	for _, id := range []ride.TripID{"a", "b", "c"} {
		w.story(id, storyWhole)
		w.clock.advance(1e12)
		w.people["rider"] = w.again("rider")
	}
	w.story("d", storyMatched)
	type page struct {
		Items []struct{ ID string }
		Next  string `json:"next_cursor"`
	}
	list := func(as, query string) (ids []string, next string) {
		var p page
		path := "/v1/trips"
		if as == "operator" {
			w.people[as] = w.again(as)
			path = "/v1/admin/trips"
		}
		w.do(request{method: "GET", path: path + query, as: as}).ok(200, &p)
		for _, i := range p.Items {
			ids = append(ids, i.ID)
		}
		return ids, p.Next
	}
	ids, next := list("rider", "?limit=3")
	require.Equal(t, []string{"d", "c", "b"}, ids)
	require.NotEmpty(t, next)
	ids, next = list("rider", "?limit=3&cursor="+next)
	require.Equal(t, []string{"a"}, ids)
	require.Empty(t, next)
	ids, _ = list("rider", "")
	require.Len(t, ids, 4, "the limit has a default")
	ids, _ = list("rider", "?status=matched")
	require.Equal(t, []string{"d"}, ids)
	ids, _ = list("rider", "?live=true")
	require.Equal(t, []string{"d"}, ids)
	ids, _ = list("operator", "?q=gangnam&status=completed")
	require.Equal(t, []string{"c", "b", "a"}, ids)
	ids, _ = list("operator", w.fill("?account=$rider2"))
	require.Empty(t, ids)
	ids, _ = list("operator", w.fill("?live=true&account=$driver"))
	require.Equal(t, []string{"d"}, ids)
	ids, _ = list("operator", "?to=2030-05-01T12:00:30Z&from=2030-05-01T12:00:00Z")
	require.Equal(t, []string{"a"}, ids)
}

// again logs a person in once more.
func (w *world) again(name string) person {
	w.t.Helper()
	a, tk, err := w.auth.LogIn(w.t.Context(), name, password, "192.0.2.77")
	require.NoError(w.t, err)
	return person{a, tk}
}

func TestOpenOffers(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyOffered)
	var l struct{ Items []json.RawMessage }
	got := w.do(request{method: "GET", path: "/v1/me/offers", as: "driver"}).ok(200, &l)
	require.Len(t, l.Items, 1)
	for _, secret := range []string{"37.4979", "127.0276", "37.5665", "Gangnam", "City Hall", secretNote, "RIDER", string(w.people["rider"].ID), secretPIN} {
		require.NotContains(t, got.Body.String(), secret, "an offer carries a coarse pickup and no rider")
	}
	require.Contains(t, got.Body.String(), `"pickup_area"`)
}

// TestSchemasAreTruthful: what is sent validates against what is published, and a new field of the
// protocol is published automatically.
func TestSchemasAreTruthful(t *testing.T) {
	w := newWorld(t)
	reg := w.OpenAPI().Components.Schemas
	check := func(schema, raw string) {
		var v any
		require.NoError(t, json.Unmarshal([]byte(raw), &v))
		res := &huma.ValidateResult{}
		huma.Validate(reg, &huma.Schema{Ref: "#/components/schemas/" + schema}, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, res)
		require.NoError(t, errors.Join(res.Errors...), "%s: %s", schema, raw)
	}
	for _, m := range []proto.Message{&ridepb.Trip{}, &ridepb.Offer{}} {
		fill(m.ProtoReflect(), 0)
		raw, err := wire.JSON.Marshal(m)
		require.NoError(t, err)
		check(string(m.ProtoReflect().Descriptor().Name()), string(raw))
		var fields map[string]any
		require.NoError(t, json.Unmarshal(raw, &fields))
		require.Len(t, reg.Map()[string(m.ProtoReflect().Descriptor().Name())].Properties, len(fields))
	}
	for _, upTo := range []int{storyRequested, storyMatched, storyWhole} {
		w.story("t", upTo)
		for _, as := range []string{"rider", "operator"} {
			_, raw := w.trip("t", as)
			check("TripDetail", raw)
		}
	}
}

// fill gives every field of a message a value.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch f.Kind() {
		case protoreflect.MessageKind:
			if depth < 4 && !f.IsList() {
				fill(m.Mutable(f).Message(), depth+1)
			}
		case protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(1))
		case protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString("x"))
		case protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
		case protoreflect.FloatKind:
			m.Set(f, protoreflect.ValueOfFloat32(1.5))
		case protoreflect.Int32Kind, protoreflect.Sint32Kind:
			m.Set(f, protoreflect.ValueOfInt32(7))
		case protoreflect.Uint32Kind:
			m.Set(f, protoreflect.ValueOfUint32(7))
		}
	}
}

func TestStoreFailures(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyWhole)
	for _, method := range []string{"Trip", "TripEvents", "TripTrack", "Account", "FamilyRevoked"} {
		w.store.Fail = func(m string) error {
			if m == method {
				return errors.New("dial tcp 10.0.0.5:5432: password for hexhail refused")
			}
			return nil
		}
		got := w.do(request{method: "GET", path: "/v1/trips/t", as: "rider"})
		got.refused(ride.ErrInternal, 500)
		require.NotContains(t, got.Body.String(), "5432", "the cause must not be disclosed")
		w.store.Fail = func(m string) error {
			if m == method {
				return ride.ErrUnavailable
			}
			return nil
		}
		got = w.do(request{method: "GET", path: "/v1/trips/t", as: "rider"})
		got.refused(ride.ErrUnavailable, 503)
		require.Equal(t, "1", got.Header().Get("Retry-After"))
	}
	require.Contains(t, w.logs.String(), "5432", "but the operator's log has it")
}

// The filter of lists of trips takes every status.
func TestListsTakeEveryStatus(t *testing.T) {
	for path, item := range newWorld(t).OpenAPI().Paths {
		if item.Get == nil {
			continue
		}
		for _, p := range item.Get.Parameters {
			if p.Name != "status" || !slices.Contains(p.Schema.Enum, any(string(ride.StatusMatched))) {
				continue
			}
			require.Len(t, p.Schema.Enum, len(ride.Statuses()), path)
			for _, s := range ride.Statuses() {
				require.Contains(t, p.Schema.Enum, string(s), path)
			}
			return
		}
	}
	require.Fail(t, "no list has the filter")
}

func TestEventsOfEveryKindHaveAPlace(t *testing.T) {
	enum := newWorld(t).OpenAPI().Components.Schemas.Map()["EventView"].Properties["kind"].Enum
	for _, e := range []ride.Event{ride.Requested{}, ride.WavePlanned{}, ride.Accepted{}, ride.OffersEnded{}, ride.Matched{}, ride.Exchanged{},
		ride.Released{}, ride.Arrived{}, ride.Started{}, ride.Completed{}, ride.Cancelled{}, ride.Expired{}, ride.Rated{}} {
		require.True(t, slices.Contains(enum, any(e.Kind())), e.Kind())
		v, _ := partyEvent(ride.StoredEvent{Version: 1, Event: e}, ride.RoleDriver)
		require.Equal(t, e.Kind(), v.Kind)
		full, err := fullEvent(ride.StoredEvent{Version: 1, Event: e})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(full.Data), "{"))
	}
}
