package auth

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// around is what may stand around a username unseen.
var around = []string{
	" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\u0085", "\u00a0", "\u00ad", "\u034f", "\u061c", "\u1680", "\u180e", "\u2000", "\u2003", "\u2007", "\u2009",
	"\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u202f", "\u205f", "\u2060", "\u2066",
	"\u2069", "\u2800", "\u3000", "\u3164", "\ufe0f", "\ufeff", "\uffa0", " \u200b\u00a0 ",
}

func TestUsernamesAreTrimmed(t *testing.T) {
	f := newFixture(t)
	for i, s := range around {
		for _, typed := range []string{s + "alice", "alice" + s, s + "alice" + s} {
			require.Equal(t, "alice", TidyUsername(typed), "%d %q", i, typed)
		}
		require.Error(t, CheckUsername(TidyUsername("al"+s+"ice")), "%q inside", s)
	}
	require.Empty(t, TidyUsername(" \u200b"))
	require.Equal(t, "\x00alice", TidyUsername("\x00alice"), "control characters are not spaces")

	n := SignUp{Username: "\u3000alice\u200b ", Password: "correct horse", FirstName: "A", LastName: "B", Role: ride.RoleRider}
	require.NoError(t, f.CheckSignUp(t.Context(), n))
	a, _, err := f.SignUp(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "alice", a.Username)
	n.Username = "Alice "
	_, _, err = f.SignUp(t.Context(), n)
	require.ErrorIs(t, err, ride.ErrUsernameTaken)
	require.ErrorIs(t, f.CheckSignUp(t.Context(), n), ride.ErrUsernameTaken)
	n.Username, n.Password = " bob-the-rider\u00a0", "bob-the-rider"
	_, _, err = f.SignUp(t.Context(), n)
	require.ErrorIs(t, err, ride.ErrInvalidArgument, "the password must not be the name that is kept")

	for _, typed := range []string{"alice ", "\u00a0ALICE", "alice\u200b\u200b"} {
		_, _, err = f.LogIn(t.Context(), typed, "correct horse", "192.0.2.1")
		require.NoError(t, err, "%q", typed)
	}
	for i := range 10 {
		_, _, err = f.LogIn(t.Context(), "alice"+around[i], "wrong horse", "192.0.2.1")
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
	_, _, err = f.LogIn(t.Context(), "alice", "wrong horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrTooMany, "spaces buy no further guesses")
	_, _, err = f.LogIn(t.Context(), "alice", "correct horse ", "203.0.113.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "a password is as it is typed")

	op, err := AdminCreate(t.Context(), f.store, cheap, SignUp{Username: " olga\u200b", Password: "correct horse", FirstName: "O", LastName: " olga\u200b"})
	require.NoError(t, err)
	require.Equal(t, []string{"olga", "olga"}, []string{op.Username, op.LastName})
}

// Keyboards add a space behind names, too; and an invisible name is not a name.
func TestNamesAreTrimmed(t *testing.T) {
	f := newFixture(t)
	for _, s := range around {
		require.NoError(t, CheckName("first_name", TidyEnds(s+"김 Ada\u200dB"+s)), "%q", s)
		require.ErrorIs(t, CheckName("first_name", TidyEnds(s+s)), ride.ErrInvalidArgument, "%q alone", s)
		require.ErrorIs(t, CheckName("first_name", s+"Ada"), ride.ErrInvalidArgument, "%q is kept nowhere", s)
	}
	n := SignUp{Username: "alice", Password: " correct horse ", FirstName: "Ada ", LastName: "\u3000van der L\u00a0", Role: ride.RoleRider}
	require.NoError(t, f.CheckSignUp(t.Context(), n))
	a, _, err := f.SignUp(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, []string{"Ada", "van der L"}, []string{a.FirstName, a.LastName})
	n.Username, n.LastName = "bob", "\u3164"
	_, _, err = f.SignUp(t.Context(), n)
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
}
