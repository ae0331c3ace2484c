package persistence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hexhail/hexhail/ride"
)

const (
	// listenCheckEvery is the time without a notification after which the listener's session is
	// checked, listenCheckWithin the time that it has to answer, listenSetUp that to be set up.
	listenCheckEvery  = 2 * time.Second
	listenCheckWithin = 3 * time.Second
	listenSetUp       = 10 * time.Second
)

// ErrNoNotifications means that the database announces no changes: the embedded one.
var ErrNoNotifications = errors.New("this database sends no notifications")

// AccountListener is called with what ListenAccounts hears, by one goroutine. Its methods must not
// block.
type AccountListener interface {
	// Listening says that announcements arrive from now on. Earlier ones may have been missed.
	Listening()
	// Alive says that the session has just given a sign of life.
	Alive()
	// Changed names an account whose change has committed. No account need have this id.
	Changed(id ride.AccountID)
}

// Notifies reports whether the database announces changes, so that ListenAccounts works: Postgres
// does.
func (s *Store) Notifies() bool { return s.listenURL != "" }

// ListenAccounts listens for changes of accounts on a connection of its own, past any pooler, until
// that is lost or the context ends, and returns why. The caller calls it again; each call is one
// session. On SQLite it returns ErrNoNotifications.
func (s *Store) ListenAccounts(ctx context.Context, l AccountListener) error {
	if !s.Notifies() {
		return ErrNoNotifications
	}
	conn, err := s.openListener(ctx)
	if err != nil {
		return fmt.Errorf("listen for changes of accounts: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // nothing was written
	}()
	l.Listening()
	for {
		if err := hear(ctx, conn, l); err != nil {
			return fmt.Errorf("listen for changes of accounts: %w", err)
		}
		l.Alive()
	}
}

// openListener opens a session that listens.
func (s *Store) openListener(ctx context.Context) (*pgx.Conn, error) {
	conf, err := pgx.ParseConfig(s.listenURL)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", err)
	}
	name := cmp.Or(conf.RuntimeParams["application_name"], "hexhail")
	conf.RuntimeParams["application_name"] = fmt.Sprintf("%s account changes, pid %d on %.20s", name, os.Getpid(), hostname())
	ctx, cancel := context.WithTimeout(ctx, listenSetUp)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+accountChannel); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

// hear waits for one notification, or finds that the session is alive without one.
func hear(ctx context.Context, conn *pgx.Conn, l AccountListener) error {
	wait, cancel := context.WithTimeout(ctx, listenCheckEvery)
	defer cancel()
	n, err := conn.WaitForNotification(wait)
	switch {
	case err == nil:
		l.Changed(ride.AccountID(n.Payload))
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !pgconn.Timeout(err) || conn.IsClosed():
		return err
	}
	check, cancel := context.WithTimeout(ctx, listenCheckWithin)
	defer cancel()
	return conn.Ping(check)
}
