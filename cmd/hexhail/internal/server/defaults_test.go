package server

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/session"
)

// TestDefaultsAgree: a server without any settings runs its parts with their DefaultConfig, so that
// a part's tests and benchmarks are about what operators run. The exceptions are values that a part
// cannot know, and the speed of estimates, which geo leaves to the city.
func TestDefaultsAgree(t *testing.T) {
	c := defaults(t)
	log := slog.New(slog.DiscardHandler)

	s := sessionConfig(c, true, nil, nil, nil, newMetrics()) // with plenty of files
	wantS := session.DefaultConfig()
	s.Origins, s.Socket.Observer = nil, nil
	require.Equal(t, wantS, s)

	a := apiConfig(c, nil, newMetrics())
	wantA := api.DefaultConfig()
	a.Observe, a.CORSOrigins = nil, nil
	wantA.Map, wantA.DriverApproval, wantA.PIN = a.Map, c.Auth.DriverApproval, c.Trip.PIN
	wantA.TimeZone = c.Map.TimeZone.Location()
	wantA.ArriveWithinM, wantA.CompleteWithinM = c.Map.ArriveWithin, c.Map.CompleteWithin
	require.Equal(t, wantA, a)

	p := authConfig(c, log)
	wantP := auth.DefaultConfig()
	p.Log, wantP.DriverApproval = nil, c.Auth.DriverApproval
	require.Equal(t, wantP, p)

	r := actorsConfig(c, log)
	wantR := actors.DefaultConfig()
	r.Log, wantR.Log, wantR.ETA = nil, nil, r.ETA
	require.Equal(t, wantR, r)

	d := storeOptions(c, nil)
	require.Equal(t, persistence.DefaultSQLite(c.DatabasePath()), d)
	c.Store.DatabaseURL = "postgres://db"
	d = storeOptions(c, nil)
	d.Path = ""
	require.Equal(t, persistence.DefaultPostgres("postgres://db"), d)
}
