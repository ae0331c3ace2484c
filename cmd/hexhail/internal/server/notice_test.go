package server

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// facts is a database in which an account is suspended between two reads.
type facts struct {
	accountFacts
	suspended bool
	reads     int
	at        int // the first read after the suspension
}

func (f *facts) read() {
	if f.reads++; f.reads == f.at {
		f.suspended = true
	}
}

func (f *facts) Account(context.Context, ride.AccountID) (ride.Account, error) {
	f.read()
	a := ride.Account{ID: "a", Status: ride.AccountActive}
	if f.suspended {
		a.Status = ride.AccountSuspended
	}
	return a, nil
}

// FamilyRevoked: a suspension ends every log-in in the same transaction.
func (f *facts) FamilyRevoked(context.Context, string) (bool, error) {
	f.read()
	return f.suspended, nil
}

// closes is a set of sessions that records close codes.
type closes struct{ codes []ridepb.CloseCode }

func (c *closes) Disconnect(_ ride.AccountID, _ string, code ridepb.CloseCode) {
	c.codes = append(c.codes, code)
}
func (*closes) AccountChanged(ride.Account)      {}
func (*closes) Families(ride.AccountID) []string { return []string{"f1", "f2"} }

// A suspension between any two reads is never taken for a log-out, after which the client would log
// in again.
func TestSuspensionIsNotTakenForALogOut(t *testing.T) {
	for at := 1; at <= 4; at++ {
		live := &closes{}
		n := &notices{store: &facts{at: at}, live: live}
		require.NoError(t, n.reconcile(t.Context(), "a"))
		require.NoError(t, n.reconcile(t.Context(), "a"))
		require.NotEmpty(t, live.codes)
		for _, code := range live.codes {
			require.Equal(t, ridepb.CloseSuspended, code, "suspended before read %d", at)
		}
	}
}
