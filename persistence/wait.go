package persistence

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// waitPause is the time between two attempts to connect, attemptWithin the time of one.
	waitPause     = 500 * time.Millisecond
	attemptWithin = 5 * time.Second
)

// waitForPostgres returns when the server takes connections, for o.Wait at most. What does
// not pass by waiting fails at once: a wrong password, a database that does not exist.
func waitForPostgres(ctx context.Context, o Options) error {
	for _, url := range []string{o.DatabaseDirectURL, o.DatabaseURL} {
		if url == "" {
			continue
		}
		if err := waitFor(ctx, o, url); err != nil {
			return o.explained(err)
		}
	}
	return nil
}

// waitFor waits for what one address leads to: Postgres itself, or a pooler before it.
func waitFor(ctx context.Context, o Options, url string) error {
	conf, _, err := plainConfig(url) // a pooler refuses settings, and would do so for ever
	if err != nil {
		return err
	}
	begun := time.Now()
	at := net.JoinHostPort(conf.Host, strconv.Itoa(int(conf.Port)))
	for first := true; ; first = false {
		err := knock(ctx, conf)
		switch {
		case err == nil:
			if !first {
				o.Log.Info("the database takes connections", "waited", time.Since(begun).Round(time.Millisecond))
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the database: %w", ctx.Err())
		case !passes(err):
			return fmt.Errorf("open postgres: %w", err)
		case time.Since(begun) >= o.Wait:
			return fmt.Errorf("the database at %s took no connection within %s: %w", at, o.Wait, err)
		case first:
			o.Log.Info("waiting for the database", "at", at, "database", conf.Database, "at_most", o.Wait, "error", err)
			if o.Waits != nil {
				o.Waits(CauseUnreachable)
			}
		}
		pause := time.NewTimer(min(waitPause, max(time.Until(begun.Add(o.Wait)), time.Millisecond)))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// knock connects, asks something and leaves.
func knock(ctx context.Context, conf *pgx.ConnConfig) error {
	ctx, cancel := context.WithTimeout(ctx, attemptWithin)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // it was only to see
	var one int
	return conn.QueryRow(ctx, `SELECT 1`, pgx.QueryExecModeSimpleProtocol).Scan(&one)
}

// passes reports whether an error may pass by waiting: nothing listens yet, no address has
// the name yet, or the server or a pooler says that it is not ready. It says so in classes
// 08, 53 and 57; a wrong password, account or database name it says in others.
func passes(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code[:min(2, len(pe.Code))] {
		case "08", "53", "57":
			return !isStartupRefusal(err) // which stays
		}
		return false
	}
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	if errors.As(err, &unknown) || errors.As(err, &wrongHost) || errors.As(err, &invalid) || errors.As(err, &verification) {
		return false
	}
	var ne net.Error // refused, no such host, too late
	return errors.As(err, &ne) || isConnError(err) || errors.Is(err, context.DeadlineExceeded)
}
