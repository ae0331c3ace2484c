package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Audit is a store of what operators did.
type Audit interface {
	AddAudit(ctx context.Context, e ride.AuditEntry) error
	ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error)
}

// TestAudit holds a store to the contract of Audit.
func TestAudit(t *testing.T, open func(t *testing.T, now Clock) Audit) {
	for name, test := range map[string]func(*testing.T, Audit){
		"numbers": auditNumbers,
		"filters": auditFilters,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, atEpoch)) })
	}
}

// auditNumbers: entries are numbered without holes, also when written at once.
func auditNumbers(t *testing.T, s Audit) {
	const n = 12
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			errs[i] = s.AddAudit(t.Context(), ride.AuditEntry{At: Epoch, Actor: "op", Action: "trip.cancel", Subject: fmt.Sprint("t", i)})
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	var ids []int64
	p := ride.Page{Limit: 5}
	for {
		page, next, err := s.ListAudit(t.Context(), ride.AuditFilter{Page: p})
		require.NoError(t, err)
		for _, e := range page {
			ids = append(ids, e.ID)
			require.Equal(t, Epoch, e.At)
			require.Equal(t, ride.AccountID("op"), e.Actor)
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	want := []int64{}
	for i := int64(n); i > 0; i-- {
		want = append(want, i)
	}
	require.Equal(t, want, ids)
	require.ErrorIs(t, s.AddAudit(t.Context(), ride.AuditEntry{Detail: strings.Repeat("x", 1001)}), ride.ErrInvalidArgument)
	_, _, err := s.ListAudit(t.Context(), ride.AuditFilter{Page: ride.Page{Cursor: "?"}})
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	for _, text := range notText {
		for _, f := range []ride.AuditFilter{{Actor: ride.AccountID(text)}, {Action: text}, {Subject: text}} {
			_, _, err := s.ListAudit(t.Context(), f)
			require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", text)
		}
	}
}

// auditFilters: by whom, what, about whom, when.
func auditFilters(t *testing.T, s Audit) {
	for i, e := range []ride.AuditEntry{
		{Actor: "ann", Action: "trip.cancel", Subject: "t1"}, {Actor: "bob", Action: "trip.cancel", Subject: "t2"},
		{Actor: "ann", Action: "account.suspend", Subject: "a1"},
	} {
		e.At = Epoch.Add(time.Duration(i) * time.Minute)
		require.NoError(t, s.AddAudit(t.Context(), e))
	}
	for name, c := range map[string]struct {
		filter ride.AuditFilter
		want   []int64
	}{
		"all":     {ride.AuditFilter{}, []int64{3, 2, 1}},
		"actor":   {ride.AuditFilter{Actor: "ann"}, []int64{3, 1}},
		"action":  {ride.AuditFilter{Action: "trip.cancel"}, []int64{2, 1}},
		"both":    {ride.AuditFilter{Action: "trip.cancel", Actor: "ann"}, []int64{1}},
		"subject": {ride.AuditFilter{Subject: "a1"}, []int64{3}},
		"from":    {ride.AuditFilter{From: Epoch.Add(time.Minute)}, []int64{3, 2}},
		"to":      {ride.AuditFilter{To: Epoch.Add(time.Minute)}, []int64{1}},
		"nobody":  {ride.AuditFilter{Actor: "' OR 1=1"}, nil},
	} {
		var got []int64
		filter := c.filter
		for filter.Page.Limit = 1; ; { // pages of one, so that cursors keep to the filter
			page, next, err := s.ListAudit(t.Context(), filter)
			require.NoError(t, err, name)
			for _, e := range page {
				got = append(got, e.ID)
			}
			if filter.Page.Cursor = next; next == "" {
				break
			}
		}
		require.Equal(t, c.want, got, name)
	}
}
