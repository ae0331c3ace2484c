package session

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/internal/memstore"
)

// The real thing behind the interface: tokens, tickets and their ends.
func TestWithRealCredentials(t *testing.T) {
	ctx := context.Background()
	keys, err := auth.GenerateKeys()
	require.NoError(t, err)
	people := auth.DefaultConfig()
	people.Password.MemoryKiB, people.Password.Iterations = 64, 1
	service, err := auth.New(people, keys, &memstore.Store{})
	require.NoError(t, err)
	defer service.Close()
	account, tokens, err := service.SignUp(ctx, auth.SignUp{
		Username: "rosa", Password: "correct horse", FirstName: "Rosa", LastName: "Reiter", Role: ride.RoleRider,
	})
	require.NoError(t, err)
	principal, err := service.Authenticate(ctx, tokens.Access)
	require.NoError(t, err)

	w := listen(t)
	w.h.auth.auth = service
	connect := func(codec wire.Codec, header http.Header, with *ridepb.Connect) *client {
		c := w.dial(t, codec, header)
		c.send(connectWith("1", with))
		return c
	}
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		ticket, _, err := service.IssueTicket(ctx, principal)
		require.NoError(t, err)
		for _, c := range []*client{
			connect(codec, nil, &ridepb.Connect{Token: tokens.Access}),
			connect(codec, nil, &ridepb.Connect{Ticket: ticket}),
			connect(codec, http.Header{"Authorization": {"Bearer " + tokens.Access}}, &ridepb.Connect{}),
		} {
			require.Equal(t, string(account.ID), c.reply("1").GetConnected().GetAccountId())
		}
		for _, with := range []*ridepb.Connect{{Ticket: ticket}, {Token: tokens.Refresh}, {Token: tokens.Access + "x"}} {
			c := connect(codec, nil, with)
			c.refused("1", ride.ErrUnauthenticated, "")
			c.closed(ridepb.CloseUnauthenticated)
		}
	})

	c := connect(wire.Binary, nil, &ridepb.Connect{Token: tokens.Access})
	c.reply("1")
	require.NoError(t, service.LogOut(ctx, principal))
	w.h.Registry().Disconnect(account.ID, tokens.Family, ridepb.CloseRevoked)
	c.closed(ridepb.CloseRevoked)
	c = connect(wire.Binary, nil, &ridepb.Connect{Token: tokens.Access})
	c.refused("1", ride.ErrUnauthenticated, "")
	c.closed(ridepb.CloseUnauthenticated)
}
