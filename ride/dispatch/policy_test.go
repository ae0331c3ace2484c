package dispatch_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

func TestPresetsAreValidAndKeepTheirForm(t *testing.T) {
	for _, name := range dispatch.Presets() {
		p, ok := dispatch.Preset(name)
		require.True(t, ok, name)
		require.Equal(t, name, p.Name)
		require.NoError(t, p.Validate(), name)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := dispatch.Parse(b)
		require.NoError(t, err, name)
		require.Equal(t, p, back, name)
	}
	_, ok := dispatch.Preset("magic")
	require.False(t, ok)
}

// What a server does not do yet is off in the preset that is named after its policy.
func TestBatchIsWhatAServerDoes(t *testing.T) {
	p, _ := dispatch.Preset(string(ride.PolicyBatch))
	require.Equal(t, dispatch.Batch(), p)
	require.Equal(t, 5*time.Second, p.Window)
	require.False(t, p.Adapt)
	require.False(t, p.Exchange.On)
	require.Zero(t, p.SoonFree)
	require.Zero(t, p.SecondAfter)
	x, _ := dispatch.Preset("exchange")
	require.True(t, x.Exchange.On)
}

// Whatever differs from a preset, a policy is the same after its own JSON: also where a field is zero.
func TestPoliciesSurviveTheirJSON(t *testing.T) {
	same := func(p dispatch.Policy, what string) {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := dispatch.Parse(b)
		if p.Validate() == nil {
			require.NoError(t, err, what)
		}
		require.Equal(t, p, back, what)
	}
	policy := func(p *dispatch.Policy) reflect.Value { return reflect.ValueOf(p).Elem() }
	exchange := func(p *dispatch.Policy) reflect.Value { return reflect.ValueOf(&p.Exchange).Elem() }
	for _, name := range dispatch.Presets() {
		p, _ := dispatch.Preset(name)
		p.Name, p.Trip = "night", dispatch.Auto().Trip // whose form is ride's
		same(p, "renamed "+name)
		for _, of := range []func(*dispatch.Policy) reflect.Value{policy, exchange} {
			for field := range of(&p).NumField() {
				what := of(&p).Type().Field(field).Name
				if what == "Trip" {
					continue
				}
				q := p
				of(&q).Field(field).SetZero()
				same(q, name+" without "+what)
			}
		}
	}
}

// A document names what differs from its preset; whatever is misspelt or out of range is refused in one sentence.
func TestDocuments(t *testing.T) {
	p, err := dispatch.Parse([]byte(`{"name": "exchange", "version": 7, "window_ns": 3000000000, "exchange": {"on": false}}`))
	require.NoError(t, err)
	want, _ := dispatch.Preset("exchange")
	want.Version, want.Window, want.Exchange.On = 7, 3*time.Second, false
	require.Equal(t, want, p)

	for doc, says := range map[string]string{
		`{"name": "night", "windows_ns": 1}`:                                  "windows_ns",
		`{"name": "night"} {}`:                                                "after top-level value",
		`[]`:                                                                  "cannot unmarshal array",
		`{"name": ""}`:                                                        "name",
		`{"name": "night", "version": -1}`:                                    "version",
		`{"name": "night", "window_ns": 1}`:                                   "window",
		`{"name": "night", "max_eta_ns": 1}`:                                  "longest way",
		`{"name": "night", "near": 0}`:                                        "looked at",
		`{"name": "night", "arcs": 61}`:                                       "as many as are looked at",
		`{"name": "night", "soon_free_ns": -1}`:                               "before the end of its ride",
		`{"name": "night", "soon_free_percent": 50}`:                          "100 to 1000 percent",
		`{"name": "night", "worth_ns": -1}`:                                   "worth",
		`{"name": "night", "age_credit_percent": -1}`:                         "age",
		`{"name": "night", "second_after_ns": 5}`:                             "second driver",
		`{"name": "night", "second_after_ns": 5000000000, "second_ratio": 0}`: "free drivers for each request",
		`{"name": "night", "exchange": {"on": true, "gain_ns": -1}}`:          "gain",
		`{"name": "night", "exchange": {"gain_percent": 91}}`:                 "90 percent",
		`{"name": "night", "exchange": {"not_within_ns": -1}}`:                "before the pickup",
		`{"name": "night", "exchange": {"per_trip": 0}}`:                      "switch exchange off",
		`{"name": "night", "trip": {"cap": 0}}`:                               "cap",
	} {
		_, err := dispatch.Parse([]byte(doc))
		require.ErrorIs(t, err, ride.ErrInvalidArgument, doc)
		require.ErrorContains(t, err, says, doc)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err = dispatch.Parse([]byte(`{"name": "` + strings.Repeat("n", 65) + `"}`))
	require.ErrorContains(t, err, "name")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name": "auto"}`))
	f.Add([]byte(`{"name": "x", "window_ns": 5000000000, "exchange": {"on": true}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, err := dispatch.Parse(doc)
		if err != nil {
			require.ErrorIs(t, err, ride.ErrInvalidArgument)
			return
		}
		b, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := dispatch.Parse(b)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}
