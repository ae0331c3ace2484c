package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/persistence"
)

// dumpPostgres has pg_dump write one snapshot, and pg_restore read its table of contents.
func dumpPostgres(ctx context.Context, store persistence.Options, to string, m *Manifest, o Options) (err error) {
	s, err := persistence.TakeSnapshot(ctx, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tools, err := findTools(ctx, s.Major, "pg_dump", "pg_restore")
	if err != nil {
		return fmt.Errorf("%w; run there: %s --schema=%s --no-owner --no-privileges --file=%s DATABASE-URL, "+
			"and keep the signing key with it", err, "pg_dump --format=custom", s.Space, postgresName)
	}
	// The dump is compressed and has no indexes.
	if err := room(filepath.Dir(to), s.Bytes/2); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	stop := watch(to, "pg_dump", o)
	dump := tools.command(ctx, store.DatabaseURL, "pg_dump", "--format=custom", "--snapshot="+s.ID, "--schema="+s.Space,
		"--no-owner", "--no-privileges", "--no-password")
	dump.Stdout = f
	err = run(dump)
	stop()
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	m.Engine, m.Space, m.Schema, m.Oldest, m.Rows = "postgres", s.Space, s.Schema, s.Oldest, s.Rows
	return tools.list(ctx, to, *m)
}

// watch reports the size of a growing file, until stop.
func watch(path, step string, o Options) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			if st, err := os.Stat(path); err == nil {
				o.Progress(step, st.Size(), 0)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// checkDump reads a dump's table of contents with tools that suit the target server.
func checkDump(ctx context.Context, store persistence.Options, path string, m Manifest) error {
	server, err := persistence.LookAtServer(ctx, store)
	if err != nil {
		return err
	}
	tools, err := findTools(ctx, server.Major, "pg_restore", "psql")
	if err != nil {
		return fmt.Errorf("%w; run there: tar --extract --file=BACKUP, then "+
			"pg_restore --single-transaction --no-owner --no-privileges --schema=%s --dbname=DATABASE-URL %s, and put %s where signing-key-file says",
			err, m.Space, postgresName, keyName)
	}
	if server.Space == "" {
		return errors.New("the Postgres schema that database-url names does not exist: create it first")
	}
	return tools.list(ctx, path, m)
}

// loadPostgres replaces Hexhail's tables in one transaction and checks the number of rows.
func loadPostgres(ctx context.Context, store persistence.Options, path string, m Manifest, o Options) error {
	server, err := persistence.LookAtServer(ctx, store)
	if err != nil {
		return err
	}
	tools, err := findTools(ctx, server.Major, "pg_restore", "psql")
	if err != nil {
		return err
	}
	o.Progress("loading into Postgres", 0, 0)
	if err := tools.load(ctx, store.DatabaseURL, path, m.Space, server.Space, o.Force); err != nil {
		return err
	}
	s, err := persistence.TakeSnapshot(ctx, store, slices.Collect(maps.Keys(m.Rows))...)
	if err != nil {
		return err
	}
	is := s.Contents
	if err := s.Close(); err != nil {
		return err
	}
	if !m.describes(is) {
		return errors.New("the database differs from the backup: something else wrote to it meanwhile")
	}
	return nil
}

// load has pg_restore turn the dump into commands, and psql run them after Hexhail's.
func (t tools) load(ctx context.Context, url, path, from, to string, replace bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	write := t.command(ctx, "", "pg_restore", "--file=-", "--no-owner", "--no-privileges", "--schema="+from, path)
	commands, err := write.StdoutPipe()
	if err != nil {
		return err
	}
	var drops bytes.Buffer
	if replace {
		for _, table := range persistence.Tables() {
			fmt.Fprintf(&drops, "DROP TABLE IF EXISTS %s.%s CASCADE;\n", quote(to), quote(table))
		}
	}
	load := t.command(ctx, url, "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output="+os.DevNull, "--file=-")
	load.Stdin = io.MultiReader(&drops, newScript(commands, from, to))
	var said bytes.Buffer
	write.Stderr = &said
	if err := write.Start(); err != nil {
		return err
	}
	err = run(load)
	if err != nil {
		cancel() // otherwise pg_restore waits for a reader forever
	}
	if end := write.Wait(); end != nil && err == nil {
		err = fmt.Errorf("pg_restore: %w: %s", end, last(said.String()))
	}
	return err
}

// script is pg_restore's output, adapted to the target: it drops a setting of Postgres 17's tools
// that older servers do not know, and puts the tables into the target's schema. Rows pass
// unchanged.
type script struct {
	lines   *bufio.Reader
	from    *regexp.Regexp // nil: the schema is the same
	to      string
	rows    bool // within COPY
	waiting []byte
}

func newScript(r io.Reader, from, to string) *script {
	s := &script{lines: bufio.NewReaderSize(r, 1<<16), to: quote(to) + "."}
	if from != to {
		s.from = regexp.MustCompile(`(^|[ ('])(?:` + regexp.QuoteMeta(from) + "|" + regexp.QuoteMeta(quote(from)) + `)\.`)
	}
	return s
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.waiting) == 0 {
		line, err := s.lines.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return 0, err
		}
		whole := err == nil // a row may be longer than the buffer
		switch {
		case s.rows:
			s.rows = !whole || string(line) != "\\.\n"
		case bytes.HasPrefix(line, []byte("SET transaction_timeout")):
			continue
		default:
			s.rows = bytes.HasPrefix(line, []byte("COPY ")) && bytes.HasSuffix(line, []byte(" FROM stdin;\n"))
			if s.from != nil {
				line = s.from.ReplaceAll(line, []byte("${1}"+strings.ReplaceAll(s.to, "$", "$$")))
			}
		}
		s.waiting = append(s.waiting[:0], line...)
	}
	n := copy(p, s.waiting)
	s.waiting = s.waiting[n:]
	return n, nil
}

// quote quotes a name for Postgres.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// list checks that a dump names each table of the manifest.
func (t tools) list(ctx context.Context, path string, m Manifest) error {
	cmd := t.command(ctx, "", "pg_restore", "--list", path)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := run(cmd); err != nil {
		return errors.Join(ErrChanged, err)
	}
	for _, table := range slices.Sorted(maps.Keys(m.Rows)) {
		if !strings.Contains(out.String(), " TABLE DATA "+m.Space+" "+table+" ") {
			return fmt.Errorf("%w: the dump lacks the table %s", ErrChanged, table)
		}
	}
	return nil
}

// run runs a command; the last line of its output becomes part of the error.
func run(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, last(said.String()))
	}
	return nil
}

// last is the last line of a tool's output.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
