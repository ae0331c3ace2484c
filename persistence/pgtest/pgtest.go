// Package pgtest gives tests a Postgres of their own. It is for tests only: nothing
// that ships imports it.
//
// With TEST_DATABASE_URL set, that server is used; else a throw-away server is made
// with the installed initdb, once for each test binary, and taken down when that
// process ends, however it ends. Each Start gets a schema of its own.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hexhail/hexhail/persistence/localpg"
)

// Server is a throw-away Postgres, reached over a Unix socket.
type Server = localpg.Server

// NewServer starts a server for one test alone, which may stop and restart it. It is
// taken down when the test ends. If there is no Postgres the test is skipped, or
// fails when HEXHAIL_REQUIRE_ALL is 1.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s, err := localpg.Start()
	if err != nil {
		missing(tb, err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// shared is the server of this process.
var shared struct {
	once   sync.Once
	url    string
	server *Server // kept, for its watchdog's file must stay open
	err    error
}

// Start returns the URL of an empty schema, which is dropped when the test ends. If
// there is no Postgres the test is skipped, or fails when HEXHAIL_REQUIRE_ALL is 1.
func Start(tb testing.TB) string {
	tb.Helper()
	shared.once.Do(func() {
		if shared.url = os.Getenv("TEST_DATABASE_URL"); shared.url != "" {
			return
		}
		if shared.server, shared.err = localpg.Start(); shared.err == nil {
			shared.url = shared.server.URL()
		}
	})
	if shared.err != nil {
		missing(tb, shared.err)
	}
	return schema(tb, shared.url)
}

// missing ends a test that cannot have its server.
func missing(tb testing.TB, err error) {
	tb.Helper()
	if os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
		tb.Fatalf("Postgres is required here: %v", err)
	}
	tb.Skipf("no Postgres: %v", err)
}

// schema makes a schema and returns the URL that works in it.
func schema(tb testing.TB, base string) string {
	tb.Helper()
	name := "t_" + strings.ToLower(rand.Text())
	if err := run(base, "CREATE SCHEMA "+name); err != nil {
		tb.Fatalf("make schema: %v", err)
	}
	tb.Cleanup(func() {
		if err := run(base, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			tb.Errorf("drop schema: %v", err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("read TEST_DATABASE_URL: %v", err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// run executes one statement on a connection of its own.
func run(base, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
