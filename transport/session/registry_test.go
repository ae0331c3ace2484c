package session

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

func TestDisconnectReachesTheAccountsSessions(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		bystander, _ := w.as(w.dial(t, codec, nil), "rider")
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		w.h.Registry().Disconnect("account-driver", "family-of another log-in", ridepb.CloseRevoked)
		w.h.Registry().Disconnect("account-nobody", "", ridepb.CloseRevoked)
		c.send(sample(kindPing, "1"))
		require.NotNil(t, c.reply("1").GetPong(), "meant for others")

		w.h.Registry().Disconnect("account-driver", "family-driver", ridepb.CloseRevoked)
		require.Zero(t, c.closed(ridepb.CloseRevoked).GetDisconnecting().GetRetryAfterMs())
		gone(t, inbox.left)

		again, _ := w.as(w.dial(t, codec, nil), "driver")
		w.h.Registry().Disconnect("account-driver", "", ridepb.CloseSuspended)
		again.closed(ridepb.CloseSuspended)

		bystander.send(sample(kindPing, "2"))
		require.NotNil(t, bystander.reply("2").GetPong())
	})
}

func TestDisconnectReachesSessionsBeingAuthenticated(t *testing.T) {
	cases := []struct {
		name, family string
		close        ridepb.CloseCode
		err          *ride.Error
	}{
		{"suspended", "", ridepb.CloseSuspended, ride.ErrSuspended},
		{"logged out", "family-rider", ridepb.CloseRevoked, ride.ErrUnauthenticated},
		{"closed", "family-rider", ridepb.CloseOverloaded, ride.ErrUnavailable},
	}
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				w := listen(t)
				w.auth.before = func(context.Context) error { // between the look at the account and the answer
					w.h.Registry().Disconnect("account-rider", tc.family, tc.close)
					return nil
				}
				c := w.dial(t, codec, nil)
				c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
				c.refused("1", tc.err, "")
				c.closed(tc.close)
				none(t, w.router.inboxes)
			})
		}
	})
}

// Between the handshake, where the header counted, and connect.
func TestHeaderCredentialsCanBeRevokedBeforeConnect(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c := w.dial(t, codec, http.Header{"Authorization": {"Bearer driver"}})
		w.h.Registry().Disconnect("account-driver", "family-driver", ridepb.CloseRevoked)
		c.send(connectWith("1", &ridepb.Connect{}))
		c.refused("1", ride.ErrUnauthenticated, "")
		c.closed(ridepb.CloseRevoked)
	})
}

func TestHeaderCredentialsCanExpireBeforeConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		addr := addressKey("")
		require.Nil(t, w.h.registry.admit(addr))
		c := w.late(t, wire.JSON, addr, &credential{Principal: transport.Principal{
			Account: person(ride.RoleRider), ExpiresAt: time.Now().Add(time.Second),
		}})
		time.Sleep(time.Second)
		c.send(connectWith("1", &ridepb.Connect{}))
		c.refused("1", ride.ErrUnauthenticated, "")
		c.closed(ridepb.CloseUnauthenticated)
	})
}

func TestDisconnectOfOthersDoesNotDisturbAuthentication(t *testing.T) {
	w := listen(t)
	w.auth.before = func(context.Context) error {
		for i := range revocations - 1 {
			w.h.Registry().Disconnect(ride.AccountID("other-"+strconv.Itoa(i)), "", ridepb.CloseRevoked)
		}
		w.h.Registry().Disconnect("account-rider", "family of another log-in", ridepb.CloseRevoked)
		return nil
	}
	w.as(w.dial(t, wire.JSON, nil), "rider")
}

func TestMoreDisconnectsThanRememberedAreASafeNo(t *testing.T) {
	w := listen(t)
	w.auth.before = func(context.Context) error {
		for range revocations + 1 {
			w.h.Registry().Disconnect("somebody", "", ridepb.CloseRevoked)
		}
		return nil
	}
	c := w.dial(t, wire.JSON, nil)
	c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
	c.refused("1", ride.ErrUnavailable, "")
	c.closed(ridepb.CloseInternal)
}

func TestDisconnectWhileJoining(t *testing.T) {
	w := listen(t)
	w.router.before = func(context.Context, transport.Join) error {
		w.h.Registry().Disconnect("account-rider", "", ridepb.CloseSuspended)
		return nil
	}
	c := w.dial(t, wire.JSON, nil)
	c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
	c.closed(ridepb.CloseSuspended)
	gone(t, next(t, w.router.inboxes).left)
}

func TestDrainSaysWhenToComeBack(t *testing.T) {
	w := listen(t)
	var clients []*client
	var inboxes []*fakeInbox
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		for range 5 {
			c, p := w.as(w.dial(t, codec, nil), "rider")
			clients, inboxes = append(clients, c), append(inboxes, p)
		}
		clients = append(clients, w.dial(t, codec, nil)) // not connected yet
	}
	require.NoError(t, w.h.Drain(t.Context()))
	require.Zero(t, w.h.registry.Len())
	seen := map[uint32]bool{}
	for _, c := range clients {
		after := c.closed(ridepb.CloseShutdown).GetDisconnecting().GetRetryAfterMs()
		require.GreaterOrEqual(t, after, uint32(2000))
		require.LessOrEqual(t, after, uint32(6000))
		seen[after] = true
	}
	require.Greater(t, len(seen), 1, "no jitter")
	for _, p := range inboxes {
		gone(t, p.left)
	}
}

// Sessions that move to another server end one after the other, and come back almost at once.
func TestMoveEndsSessionsOneByOne(t *testing.T) {
	w := listen(t)
	var clients []*client
	for range 10 {
		c, _ := w.as(w.dial(t, wire.JSON, nil), "rider")
		clients = append(clients, c)
	}
	begun := time.Now()
	require.NoError(t, w.h.Move(t.Context(), 200*time.Millisecond))
	require.GreaterOrEqual(t, time.Since(begun), 180*time.Millisecond)
	require.Zero(t, w.h.registry.Len())
	seen := map[uint32]bool{}
	for _, c := range clients {
		after := c.closed(ridepb.CloseShutdown).GetDisconnecting().GetRetryAfterMs()
		require.GreaterOrEqual(t, after, uint32(50))
		require.LessOrEqual(t, after, uint32(500))
		seen[after] = true
	}
	require.Greater(t, len(seen), 1, "no jitter")
}

// Once the time is up, those that are left end together, and then are cut.
func TestMoveEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stuck := make(chan struct{})
		w.router.before = func(context.Context, transport.Join) error { <-stuck; return nil }
		for range 4 {
			c := w.pipe(t, wire.JSON)
			c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, w.h.Move(ctx, time.Hour), context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 150*time.Millisecond)
		close(stuck)
		for range 4 {
			gone(t, next(t, w.router.inboxes).left)
		}
	})
}

func TestDrainCutsThoseWhoDoNotGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stuck := make(chan struct{})
		w.router.before = func(context.Context, transport.Join) error { <-stuck; return nil }
		c := w.pipe(t, wire.JSON)
		c.send(connectWith("1", &ridepb.Connect{Token: "rider"}))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, w.h.Drain(ctx), context.DeadlineExceeded)
		close(stuck)
		gone(t, next(t, w.router.inboxes).left)
	})
}

// A socket whose handshake was under way when the drain began.
func TestDrainReachesLateSessions(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			addr := addressKey("")
			require.Nil(t, w.h.registry.admit(addr))
			over := make(chan error)
			go func() { over <- w.h.Drain(context.Background()) }()
			synctest.Wait()
			none(t, over)
			c := w.late(t, codec, addr, nil)
			c.closed(ridepb.CloseShutdown)
			require.NoError(t, next(t, over))
		})
	})
}

func TestLeaveComesWhenThePeerGoes(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		c.close(ws.CodeNormal, "")
		gone(t, inbox.left)

		c, inbox = w.as(w.dial(t, codec, nil), "driver")
		_ = c.conn.Close()
		gone(t, inbox.left)
	})
}
