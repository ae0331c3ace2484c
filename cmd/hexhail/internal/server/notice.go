package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

const (
	// noticeEvery is the time between two looks at the audit. With noticeLooks it keeps the
	// promise that what was revoked elsewhere closes here within 5 s.
	noticeEvery = time.Second
	// noticeLooks is how often an account is looked at after an entry about it: the entry is
	// written before the act.
	noticeLooks = 10
	// noticeMost bounds the entries of one look, and noticeWithin its time.
	noticeMost   = 200
	noticeWithin = 2 * time.Second
)

// notices looks after what other processes did to accounts: the command line beside this
// server. All that acts on accounts is in the audit, so its newest entries say which to look at.
type notices struct {
	store accountFacts
	live  liveSessions
	log   *slog.Logger

	last int64 // number of the newest entry seen
	due  map[ride.AccountID]int

	stop context.CancelFunc
	done sync.WaitGroup
}

// accountFacts is what notices read of the database.
type accountFacts interface {
	LastAudit(ctx context.Context) (int64, error)
	AuditAfter(ctx context.Context, id int64, limit int) ([]ride.AuditEntry, error)
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	FamilyRevoked(ctx context.Context, family string) (bool, error)
}

// liveSessions are the running sessions as notices need them.
type liveSessions interface {
	Disconnect(account ride.AccountID, family string, code ridepb.CloseCode)
	AccountChanged(a ride.Account)
	// Families are the log-ins of an account's sessions.
	Families(account ride.AccountID) []string
}

// start reads where the audit ends, so that nothing is missed from now on.
func (n *notices) start(ctx context.Context) error {
	var err error
	if n.last, err = n.store.LastAudit(ctx); err != nil {
		return err
	}
	n.due = make(map[ride.AccountID]int)
	var life context.Context
	life, n.stop = context.WithCancel(context.Background()) // close calls it
	n.done.Go(func() { n.run(life) })
	return nil
}

func (n *notices) close(context.Context) error {
	n.stop()
	n.done.Wait()
	return nil
}

func (n *notices) run(ctx context.Context) {
	tick := time.NewTicker(noticeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.log.Debug("cannot read what was done to accounts elsewhere", "error", err)
		}
	}
}

// look takes the new entries in and looks at the accounts that they name.
func (n *notices) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, noticeWithin)
	defer cancel()
	entries, err := n.store.AuditAfter(ctx, n.last, noticeMost)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n.last = e.ID
		if strings.HasPrefix(e.Action, "account.") {
			n.due[ride.AccountID(e.Subject)] = noticeLooks
		}
	}
	for id := range n.due {
		if err := n.settle(ctx, id); err != nil {
			return err
		}
		if n.due[id]--; n.due[id] <= 0 {
			delete(n.due, id)
		}
	}
	return nil
}

// settle brings an account's sessions in line with the database. Doing so again is a no-op.
func (n *notices) settle(ctx context.Context, id ride.AccountID) error {
	families := n.live.Families(id)
	if len(families) == 0 {
		return nil
	}
	// The account is read after its log-ins: whatever ended them, a suspension or their
	// owner, is in it by then, and a suspended person learns of the suspension.
	var revoked []string
	for _, family := range families {
		if family == "" {
			continue // of an outside issuer, which ends its log-ins itself
		}
		ended, err := n.store.FamilyRevoked(ctx, family)
		if err != nil {
			return err
		}
		if ended {
			revoked = append(revoked, family)
		}
	}
	a, err := n.store.Account(ctx, id)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		n.live.Disconnect(id, "", ridepb.CloseRevoked)
		return nil
	case err != nil:
		return err
	case a.Status != ride.AccountActive:
		n.live.Disconnect(id, "", ridepb.CloseSuspended)
		return nil
	}
	n.live.AccountChanged(a)
	for _, family := range revoked {
		n.live.Disconnect(id, family, ridepb.CloseRevoked)
	}
	return nil
}
