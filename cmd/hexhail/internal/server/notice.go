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
	// noticeEvery is the interval at which the audit is polled. With noticeLooks it keeps the
	// promise that sessions revoked elsewhere close here within 5 s.
	noticeEvery = time.Second
	// noticeLooks is how many times an account is checked after an entry about it: the entry is
	// written before the act.
	noticeLooks = 10
	// noticeMost bounds the entries of one poll, noticeWithin its time.
	noticeMost   = 200
	noticeWithin = 2 * time.Second
)

// notices applies what other processes do to accounts, that is, the command line beside this
// server. Every action on an account is in the audit, so the newest entries say which accounts to
// check.
type notices struct {
	store accountFacts
	live  liveSessions
	log   *slog.Logger

	last int64 // number of the newest entry seen
	due  map[ride.AccountID]int

	stop context.CancelFunc
	done sync.WaitGroup
}

// accountFacts is what notices reads from the database.
type accountFacts interface {
	LastAudit(ctx context.Context) (int64, error)
	AuditAfter(ctx context.Context, id int64, limit int) ([]ride.AuditEntry, error)
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	FamilyRevoked(ctx context.Context, family string) (bool, error)
}

// liveSessions is what notices needs of the open sessions.
type liveSessions interface {
	Disconnect(account ride.AccountID, family string, code ridepb.CloseCode)
	AccountChanged(a ride.Account)
	// Families are the log-ins of an account's sessions.
	Families(account ride.AccountID) []string
}

// start reads the end of the audit, so that nothing is missed from now on.
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
			n.log.Debug("cannot read changes made to accounts by other processes", "error", err)
		}
	}
}

// look reads the new entries and checks the accounts that they name.
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
		if err := n.reconcile(ctx, id); err != nil {
			return err
		}
		if n.due[id]--; n.due[id] <= 0 {
			delete(n.due, id)
		}
	}
	return nil
}

// reconcile brings an account's sessions in line with the database. It is idempotent.
func (n *notices) reconcile(ctx context.Context, id ride.AccountID) error {
	families := n.live.Families(id)
	if len(families) == 0 {
		return nil
	}
	// Read the account after its log-ins: if a suspension ended them, the account shows it by then,
	// and the person learns of the suspension instead of being logged out.
	var revoked []string
	for _, family := range families {
		if family == "" {
			continue // from an outside issuer, which ends its log-ins itself
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
