package session

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
)

// overtakes records the accounts whose sessions a check missed.
func overtakes(w *world) func() []ride.AccountID {
	var mu sync.Mutex
	var all []ride.AccountID
	w.h.Registry().OnOvertaken(func(id ride.AccountID) {
		w.h.Registry().Check("another") // it may call the registry
		mu.Lock()
		defer mu.Unlock()
		all = append(all, id)
	})
	return func() []ride.AccountID {
		mu.Lock()
		defer mu.Unlock()
		return append([]ride.AccountID(nil), all...)
	}
}

// A check returns the log-ins of the sessions that are bound, and names later those that were being
// authenticated.
func TestChecksMissNoSession(t *testing.T) {
	for name, check := range map[string]func(r *Registry) []LogIn{
		"of the account": func(r *Registry) []LogIn { return r.Check("account-rider") },
		"of all":         func(r *Registry) []LogIn { return r.CheckAll()["account-rider"] },
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t)
			overtaken := overtakes(w)
			var seen []LogIn
			w.auth.before = func(context.Context) error { seen = check(w.h.Registry()); return nil }
			w.as(w.dial(t, wire.JSON, nil), "rider")
			require.Empty(t, seen, "it is not bound yet")
			require.Equal(t, []ride.AccountID{"account-rider"}, overtaken())

			w.auth.mu.Lock()
			w.auth.before = nil
			w.auth.mu.Unlock()
			require.Equal(t, []LogIn{{Family: "family-rider"}}, check(w.h.Registry()))
			w.as(w.dial(t, wire.JSON, nil), "rider")
			w.as(w.dial(t, wire.JSON, nil), "driver")
			require.Equal(t, []LogIn{{Family: "family-rider"}}, check(w.h.Registry()), "each log-in once")
			require.Len(t, overtaken(), 1, "checks that ended before an authentication began overtake nothing")
			require.Empty(t, w.h.Registry().Check("account-operator"))
		})
	}
}

// Checks of others do not disturb an authentication, and a disconnect beside a check counts.
func TestChecksOfOthers(t *testing.T) {
	w := listen(t)
	overtaken := overtakes(w)
	w.auth.before = func(context.Context) error {
		for i := range revocations - 1 {
			w.h.Registry().Check(ride.AccountID("other-" + strconv.Itoa(i)))
		}
		return nil
	}
	w.as(w.dial(t, wire.JSON, nil), "rider")
	require.Empty(t, overtaken())
	w.auth.mu.Lock()
	w.auth.before = func(context.Context) error {
		w.h.Registry().Check("account-rider")
		w.h.Registry().Disconnect("account-rider", "", ridepb.CloseSuspended)
		return nil
	}
	w.auth.mu.Unlock()
	c := w.dial(t, wire.JSON, nil)
	c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
	c.refused("1", ride.ErrSuspended, "")
	c.closed(ridepb.CloseSuspended)
}

// Log-ins at outside issuers have no name: they end by the time of their tokens.
func TestDisconnectOutside(t *testing.T) {
	now := time.Now()
	r := newRegistry(10, 10)
	bound := func(by LogIn, mark uint64) ridepb.CloseCode {
		return r.bind(&session{}, "a", by, mark)
	}
	mark := r.mark()
	r.DisconnectOutside("a", now, ridepb.CloseRevoked)
	for want, logIns := range map[ridepb.CloseCode][]LogIn{
		ridepb.CloseRevoked: {{IssuedAt: now.Add(-time.Hour)}, {IssuedAt: now}, {}},
		0:                   {{IssuedAt: now.Add(time.Microsecond)}, {Family: "ours"}},
	} {
		for _, by := range logIns {
			require.Equal(t, want, bound(by, mark), "%+v", by)
			require.Zero(t, bound(by, r.mark()), "authenticated afterwards")
		}
	}

	w := listen(t)
	old, _ := w.as(w.dial(t, wire.JSON, nil), "rider")
	w.h.Registry().DisconnectOutside("account-rider", time.Now(), ridepb.CloseRevoked)
	old.send(sample(kindPing, "1"))
	require.NotNil(t, old.reply("1").GetPong(), "a log-in of ours")
}

// A token counts as made at the latest when it was used, whatever its issuer's clock says.
func TestTokensFromTheFuture(t *testing.T) {
	now := time.Now()
	for _, issued := range []time.Time{{}, now.Add(-time.Minute), now} {
		require.Equal(t, LogIn{IssuedAt: issued}, logInOf(transport.Principal{IssuedAt: issued}, now))
	}
	require.Equal(t, LogIn{IssuedAt: now}, logInOf(transport.Principal{IssuedAt: now.Add(time.Second)}, now))
	require.Equal(t, LogIn{Family: "f"}, logInOf(transport.Principal{Family: "f"}, now))
}
