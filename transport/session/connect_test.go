package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

func connectWith(id string, c *ridepb.Connect) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Id: id, Body: &ridepb.ClientFrame_Connect{Connect: c}}
}

func TestConnectJoinsTheAccountsActor(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		resume := &ridepb.Resume{Epoch: "before", Seq: 41}
		for _, how := range []*ridepb.Connect{{Token: "rider", Resume: resume}, {Ticket: "ticket-rider", Resume: resume}} {
			c := w.dial(t, codec, nil)
			c.send(connectWith("c1", how))
			connected := c.reply("c1").GetConnected()
			require.NotNil(t, connected)
			inbox := next(t, w.router.inboxes)
			require.Equal(t, person(ride.RoleRider), inbox.join.Principal.Account)
			require.Equal(t, "family-rider", inbox.join.Principal.Family)
			require.Equal(t, "c1", inbox.join.ConnectID)
			require.Equal(t, inbox.join.SessionID, connected.GetSessionId())
			require.NotEmpty(t, connected.GetSessionId())
			require.Empty(t, cmp.Diff(resume, inbox.join.Resume, protocmp.Transform()))

			_ = c.conn.Close()
			gone(t, inbox.left)
		}
	})
}

func TestConnectIsRefused(t *testing.T) {
	long := strings.Repeat("x", maxToken+1)
	cases := []struct {
		name    string
		connect *ridepb.Connect
		err     *ride.Error
		field   string
		code    ridepb.CloseCode
	}{
		{"without credentials", &ridepb.Connect{}, ride.ErrUnauthenticated, "", ridepb.CloseUnauthenticated},
		{"with a wrong token", &ridepb.Connect{Token: "wrong"}, ride.ErrUnauthenticated, "", ridepb.CloseUnauthenticated},
		{"with a wrong ticket", &ridepb.Connect{Ticket: "wrong"}, ride.ErrUnauthenticated, "", ridepb.CloseUnauthenticated},
		{"with an expired token", &ridepb.Connect{Token: "expired"}, ride.ErrUnauthenticated, "", ridepb.CloseUnauthenticated},
		{"without an expiry", &ridepb.Connect{Token: "eternal"}, ride.ErrUnauthenticated, "", ridepb.CloseUnauthenticated},
		{"while suspended", &ridepb.Connect{Token: "suspended"}, ride.ErrSuspended, "", ridepb.CloseSuspended},
		{"as a suspended account", &ridepb.Connect{Token: "suspended account"}, ride.ErrSuspended, "", ridepb.CloseSuspended},
		{"as nobody", &ridepb.Connect{Token: "nobody"}, ride.ErrInternal, "", ridepb.CloseInternal},
		{"while the store is down", &ridepb.Connect{Token: "down"}, ride.ErrUnavailable, "", ridepb.CloseOverloaded},
		{"for an unknown reason", &ridepb.Connect{Token: "broken"}, ride.ErrInternal, "", ridepb.CloseInternal},
		{"with both", &ridepb.Connect{Token: "rider", Ticket: "ticket-rider"}, ride.ErrInvalidArgument, "connect.ticket", ridepb.CloseProtocolError},
		{"with a long token", &ridepb.Connect{Token: long}, ride.ErrInvalidArgument, "connect.token", ridepb.CloseProtocolError},
		{"with a long ticket", &ridepb.Connect{Ticket: long}, ride.ErrInvalidArgument, "connect.ticket", ridepb.CloseProtocolError},
		{"with a long client", &ridepb.Connect{Token: "rider", Client: long}, ride.ErrInvalidArgument, "connect.client", ridepb.CloseProtocolError},
		{"with a long epoch", &ridepb.Connect{Token: "rider", Resume: &ridepb.Resume{Epoch: long}}, ride.ErrInvalidArgument, "connect.resume.epoch", ridepb.CloseProtocolError},
	}
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				c := w.dial(t, codec, nil)
				c.send(connectWith("c1", tc.connect))
				e := c.refused("c1", tc.err, tc.field)
				require.NotContains(t, e.GetMessage(), "secret")
				e2 := c.closed(tc.code)
				require.Equal(t, tc.err.Retryable, e.GetRetryAfterMs() > 0)
				require.Equal(t, e.GetRetryAfterMs(), e2.GetDisconnecting().GetRetryAfterMs())
				require.Empty(t, e2.GetEpoch())
			})
		}
	})
	none(t, w.router.inboxes)
}

func TestConnectNeedsAnID(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c := w.dial(t, codec, nil)
		c.send(connectWith("", &ridepb.Connect{Token: "rider"}))
		c.refused("", ride.ErrIDRequired, "")
		c.closed(ridepb.CloseProtocolError)
	})
}

func TestEverythingElseBeforeConnectIsRefused(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for k := kindConnect + 1; k < kinds; k++ {
			t.Run(frameSpecs[k].name, func(t *testing.T) {
				c := w.dial(t, codec, nil)
				c.send(sample(k, "early"))
				c.refused("early", ride.ErrNotConnected, "")
				c.closed(ridepb.CloseProtocolError)
			})
		}
		t.Run("unreadable", func(t *testing.T) {
			c := w.dial(t, codec, nil)
			c.raw(c.op(), garbage)
			c.refused("", ride.ErrMalformed, "")
			c.closed(ridepb.CloseProtocolError)
		})
	})
}

func TestSecondConnectIsRefused(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		c.send(connectWith("again", &ridepb.Connect{Token: "rider"}))
		c.refused("again", ride.ErrConnected, "")
		c.send(sample(kindPing, "ping"))
		require.NotNil(t, c.reply("ping").GetPong(), "the session continues")
		none(t, inbox.left)
	})
}

func TestActorsMayTurnAway(t *testing.T) {
	cases := []struct {
		err  error
		want *ride.Error
		code ridepb.CloseCode
	}{
		{fmt.Errorf("join: %w", ride.ErrShuttingDown), ride.ErrShuttingDown, ridepb.CloseShutdown},
		{fmt.Errorf("join: %w", ride.ErrUnavailable), ride.ErrUnavailable, ridepb.CloseOverloaded},
		{errors.New("mailbox on fire"), ride.ErrInternal, ridepb.CloseInternal},
	}
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, tc := range cases {
			t.Run(tc.want.Code, func(t *testing.T) {
				w := listen(t)
				w.router.err = tc.err
				c := w.dial(t, codec, nil)
				c.send(connectWith("c1", &ridepb.Connect{Token: "rider"}))
				require.Positive(t, c.refused("c1", tc.want, "").GetRetryAfterMs())
				c.closed(tc.code)
			})
		}
	})
}

func TestConnectIsDueInTime(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			newWorld(t).pipe(t, codec).closed(ridepb.CloseConnectTimeout)
			require.Equal(t, 5*time.Second, time.Since(began))
		})
	})
}

func TestConnectInTimeKeepsTheSession(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.pipe(t, codec)
			time.Sleep(5*time.Second - time.Millisecond)
			w.as(c, "rider")
			time.Sleep(time.Minute)
			c.send(sample(kindPing, "ping"))
			c.reply("ping")
		})
	})
}

func TestAuthenticationHasADeadline(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.auth.before = func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("store: %w", ctx.Err()) }
			c := w.pipe(t, codec)
			time.Sleep(4 * time.Second) // of the time for connect, which is not the same
			began := time.Now()
			c.send(connectWith("c1", &ridepb.Connect{Token: "rider"}))
			c.refused("c1", ride.ErrUnavailable, "")
			require.Equal(t, 5*time.Second, time.Since(began))
			c.closed(ridepb.CloseOverloaded)
		})
	})
}

func TestJoiningHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.router.before = func(ctx context.Context, _ transport.Join) error { <-ctx.Done(); return ctx.Err() }
		c := w.pipe(t, wire.JSON)
		began := time.Now()
		c.send(connectWith("c1", &ridepb.Connect{Token: "rider"}))
		c.refused("c1", ride.ErrUnavailable, "")
		require.Equal(t, 5*time.Second, time.Since(began))
		c.closed(ridepb.CloseOverloaded)
	})
}

func TestAuthenticationsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config, _ *world) { c.MaxAuthentications = 2 })
		free := make(chan struct{})
		w.auth.before = func(context.Context) error { <-free; return nil }
		clients := make([]*client, 5)
		for i := range clients {
			clients[i] = w.pipe(t, wire.Binary)
			clients[i].send(connectWith("c1", &ridepb.Connect{Token: "rider"}))
		}
		synctest.Wait()
		require.EqualValues(t, 2, w.auth.asked.Load())
		close(free)
		for _, c := range clients {
			require.NotNil(t, c.reply("c1").GetConnected(), "waited for its turn")
		}
	})
}

func TestAuthenticationsWaitOnlySoLongForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config, _ *world) { c.MaxAuthentications = 1 })
		free := make(chan struct{})
		w.auth.before = func(context.Context) error { <-free; return nil } // one that forgets its deadline
		first, second := w.pipe(t, wire.JSON), w.pipe(t, wire.JSON)
		first.send(connectWith("c1", &ridepb.Connect{Token: "rider"}))
		synctest.Wait()
		second.send(connectWith("c2", &ridepb.Connect{Token: "driver"}))
		second.refused("c2", ride.ErrUnavailable, "")
		second.closed(ridepb.CloseOverloaded)
		close(free)
		first.reply("c1")
	})
}

func TestTokenExpiresInMidConnection(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c, inbox := w.as(w.pipe(t, codec), "rider")
			time.Sleep(time.Until(w.auth.expiry) - time.Millisecond)
			c.send(sample(kindPing, "ping"))
			c.reply("ping")
			e := c.closed(ridepb.CloseTokenExpired)
			require.Equal(t, w.auth.expiry, time.Now())
			require.Equal(t, "epoch", e.GetEpoch())
			require.Equal(t, uint32(7), e.GetSeq())
			gone(t, inbox.left)
		})
	})
}

func TestSilentPeersAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, inbox := w.as(w.pipe(t, wire.JSON), "rider")
		c.mute.Store(true)
		began := time.Now()
		gone(t, inbox.left)
		require.LessOrEqual(t, time.Since(began), 15*time.Second)
		synctest.Wait()
		require.InDelta(t, 1, metric(t, w.h.metrics, "hexhail_sessions_closed_total", "code", "4002"), 0)
	})
}

func TestWireViolationsCloseWithTheirOwnCodes(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		c.write([]byte{0x81, 2, 'h', 'i'})
		c.cut(ws.CodeProtocolError, "frame not masked")
		gone(t, inbox.left)
	})
}
