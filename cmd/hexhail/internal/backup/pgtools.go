package backup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNoTools means that Postgres's client tools are missing, or too old for the server.
var ErrNoTools = errors.New("suitable Postgres client tools are missing")

// tools is the directory of one version of Postgres's client tools.
type tools struct{ dir string }

var toolVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findTools looks for tools of the server's version, or else of the next newer one: older tools
// cannot dump a newer server.
func findTools(ctx context.Context, major int, names ...string) (tools, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"} {
		more, _ := filepath.Glob(pattern) // the patterns are valid
		dirs = append(dirs, more...)
	}
	best, have := 0, []string(nil)
	var found tools
	for _, dir := range dirs {
		v := versionIn(ctx, dir, names)
		if v == 0 {
			continue
		}
		if s := strconv.Itoa(v); !slices.Contains(have, s) {
			have = append(have, s)
		}
		if v >= major && (best == 0 || v < best) {
			best, found.dir = v, dir
		}
	}
	switch {
	case best > 0:
		return found, nil
	case len(have) > 0:
		return found, fmt.Errorf("%w: the server is Postgres %d, the installed %s is of version %s", ErrNoTools, major, names[0], strings.Join(have, " and "))
	}
	return found, fmt.Errorf("%w: install %s of version %d or newer, or run this on a machine that has them", ErrNoTools, strings.Join(names, " and "), major)
}

// versionIn is the version of the first tool in a directory that has them all; 0 if it does not.
func versionIn(ctx context.Context, dir string, names []string) (v int) {
	for i, name := range names {
		out, err := exec.CommandContext(ctx, filepath.Join(dir, name), "--version").Output()
		m := toolVersion.FindSubmatch(out)
		if err != nil || m == nil {
			return 0
		}
		if i == 0 {
			v, _ = strconv.Atoi(string(m[1])) // digits
		}
	}
	return v
}

// command runs a tool on a database. The address, which holds a password, is passed in the
// environment, because arguments are visible to every user of the machine.
func (t tools) command(ctx context.Context, database, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(t.dir, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if database != "" {
		cmd.Env = append(cmd.Env, libpqEnv(database)...)
	}
	return cmd
}

// libpqEnv turns a database URL into the environment of Postgres's tools.
func libpqEnv(database string) []string {
	conf, err := pgx.ParseConfig(database)
	if err != nil {
		return nil // it has been parsed before
	}
	hosts, ports := []string{conf.Host}, []string{strconv.Itoa(int(conf.Port))}
	for _, f := range conf.Fallbacks { // other hosts, or the same without TLS
		if !slices.Contains(hosts, f.Host) {
			hosts, ports = append(hosts, f.Host), append(ports, strconv.Itoa(int(f.Port)))
		}
	}
	env := []string{
		"PGHOST=" + strings.Join(hosts, ","), "PGPORT=" + strings.Join(ports, ","), "PGUSER=" + conf.User,
		"PGDATABASE=" + conf.Database, "PGPASSWORD=" + conf.Password, "PGCONNECT_TIMEOUT=10",
	}
	if len(hosts) > 1 {
		env = append(env, "PGTARGETSESSIONATTRS=read-write")
	}
	options := conf.RuntimeParams["options"]
	if path := conf.RuntimeParams["search_path"]; path != "" {
		options += " -csearch_path=" + strings.ReplaceAll(path, " ", `\ `)
	}
	if options = strings.TrimSpace(options); options != "" {
		env = append(env, "PGOPTIONS="+options)
	}
	for _, key := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslsni", "channel_binding"} {
		if v := connectionValue(database, key); v != "" {
			env = append(env, "PG"+strings.ReplaceAll(strings.ToUpper(key), "_", "")+"="+v)
		}
	}
	return env
}

// connectionValue reads a value that the parsed form no longer has.
func connectionValue(database, key string) string {
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		u, err := url.Parse(database)
		if err != nil {
			return ""
		}
		return u.Query().Get(key)
	}
	m := regexp.MustCompile(`(?:^|\s)` + key + `\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))`).FindStringSubmatch(database)
	if m == nil {
		return ""
	}
	if m[1] != "" {
		return regexp.MustCompile(`\\(.)`).ReplaceAllString(m[1], "$1")
	}
	return m[2]
}
