package persistence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrPooler means that a connection pooler prevents the use of a dedicated session.
var ErrPooler = errors.New("a connection pooler")

// way is what lies between this process and Postgres.
type way int

const (
	direct       way = iota
	sessions         // a pooler that gives each connection a dedicated session
	transactions     // a pooler that gives each transaction whichever session is free
)

// probeWithin bounds the probe of one URL.
const probeWithin = 10 * time.Second

// postgresRoute finds how the database is reached, once, and notes it in the options:
// work that needs a dedicated session goes to sessionURL, transactions go to DatabaseURL.
func postgresRoute(ctx context.Context, o Options) (Options, error) {
	if o.DatabaseURL == "" || o.routed {
		return o, nil
	}
	o.routed = true
	found, err := probe(ctx, o.DatabaseURL)
	if err != nil {
		return o, fmt.Errorf("open postgres by database-url: %w", err)
	}
	if o.DatabaseDirectURL == "" {
		if found == transactions {
			return o, o.refusal()
		}
		return o, nil
	}
	o.pooled = found != direct
	behind, err := probe(ctx, o.DatabaseDirectURL)
	switch {
	case err != nil:
		return o, fmt.Errorf("open postgres by database-direct-url: %w", err)
	case behind == transactions:
		return o, o.refusal()
	}
	return o, sameDatabase(ctx, o)
}

// refusal says which setting leads to a pooler, and what to set instead.
func (o Options) refusal() error {
	if o.DatabaseDirectURL != "" {
		return fmt.Errorf("database-direct-url leads to %w (such as PgBouncer) that does not keep a session for each connection: set it to the address of Postgres itself", ErrPooler)
	}
	return fmt.Errorf("database-url leads to %w (such as PgBouncer) that does not keep a session for each connection: set database-direct-url to the address of Postgres itself as well", ErrPooler)
}

// explained names the pooler where one refused what a connection of sessionURL must have. It
// is for the ways that end a start.
func (o Options) explained(err error) error {
	if isStartupRefusal(err) {
		return fmt.Errorf("%w: %w", o.refusal(), err)
	}
	return err
}

// sessionURL is where each connection has a dedicated session.
func (o Options) sessionURL() string {
	if o.DatabaseDirectURL != "" {
		return o.DatabaseDirectURL
	}
	return o.DatabaseURL
}

// isStartupRefusal recognises PgBouncer by what it says to settings that it cannot keep
// for a session.
func isStartupRefusal(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "08P01" && strings.Contains(pe.Message, "startup parameter")
}

// plainConfig is a connection that any pooler takes: it asks for nothing that belongs to a
// session, neither settings nor named statements. It returns the settings it left out.
func plainConfig(url string) (*pgx.ConnConfig, map[string]string, error) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, fmt.Errorf("read database URL: %w", err) // pgx leaves the password out
	}
	settings := withoutSettings(conf)
	conf.DefaultQueryExecMode = pgx.QueryExecModeExec
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = probeWithin
	}
	return conf, settings, nil
}

// withoutSettings takes from a configuration what it would set for a session, and returns it.
func withoutSettings(conf *pgx.ConnConfig) map[string]string {
	settings := make(map[string]string)
	for name, value := range conf.RuntimeParams {
		if name != "application_name" { // poolers keep this one for each client
			settings[name] = value
			delete(conf.RuntimeParams, name)
		}
	}
	return settings
}

// probe finds what lies between this process and Postgres. A server tells each connection
// its process id, by which requests can be cancelled, and a pooler tells another; where
// that is so, two connections whose sessions get mixed up prove that it shares them.
func probe(ctx context.Context, url string) (way, error) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	a, err := probeConn(ctx, url)
	if err != nil {
		return direct, err
	}
	defer a.close()
	first, err := a.pid(ctx)
	if err != nil || first == a.conn.PgConn().PID() {
		return direct, err
	}
	b, err := probeConn(ctx, url)
	if err != nil {
		return direct, err
	}
	defer b.close()
	for round := range 4 {
		shared, err := mixed(ctx, a, b, first, round == 3)
		if shared || err != nil {
			return transactions, err
		}
	}
	return sessions, nil
}

// mixed reports whether two connections do not keep to sessions of their own; first is a's.
// When hold, one of them is in a transaction, so that a pooler must give the other another.
func mixed(ctx context.Context, a, b prober, first uint32, hold bool) (bool, error) {
	if hold {
		// When a pooler gives two sessions out in turn, each connection gets the same one every time: an extra
		// query swaps them.
		if _, err := b.pid(ctx); err != nil {
			return false, err
		}
		if _, err := b.conn.Exec(ctx, "BEGIN"); err != nil {
			return false, err
		}
	}
	other, err := b.pid(ctx)
	if err != nil {
		return false, err
	}
	again := first
	if other != first {
		if again, err = a.pid(ctx); err != nil {
			return false, err
		}
	}
	if hold {
		if _, err := b.conn.Exec(ctx, "ROLLBACK"); err != nil {
			return false, err
		}
	}
	return other == first || again != first, nil
}

type prober struct{ conn *pgx.Conn }

func probeConn(ctx context.Context, url string) (prober, error) {
	conf, _, err := plainConfig(url)
	if err != nil {
		return prober{}, err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	return prober{conn}, err
}

func (p prober) pid(ctx context.Context) (pid uint32, err error) {
	err = p.conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid, err
}

func (p prober) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.conn.Close(ctx) // nothing was written
}

// sameDatabase makes sure that both URLs lead to one database.
func sameDatabase(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	var at [2]string
	for i, url := range []string{o.DatabaseURL, o.DatabaseDirectURL} {
		p, err := probeConn(ctx, url)
		if err != nil {
			return fmt.Errorf("open postgres: %w", err)
		}
		const query = `SELECT current_database() || ' of the server started at ' || pg_postmaster_start_time()`
		err = p.conn.QueryRow(ctx, query, pgx.QueryExecModeSimpleProtocol).Scan(&at[i])
		p.close()
		if err != nil {
			return fmt.Errorf("open postgres: %w", err)
		}
	}
	if at[0] != at[1] {
		return fmt.Errorf("database-url leads to the database %s, database-direct-url to %s: they must lead to the same one", at[0], at[1])
	}
	return nil
}
