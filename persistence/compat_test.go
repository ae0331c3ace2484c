package persistence

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
)

// newer are options of a program with one migration more.
func newer(t *testing.T, o Options, up, down string) Options {
	t.Helper()
	files := fstest.MapFS{}
	known := o.migrationsOf()
	for _, name := range migrationNames(known) {
		text, err := fs.ReadFile(known, name)
		require.NoError(t, err)
		files[name] = &fstest.MapFile{Data: text}
	}
	name := fmt.Sprintf("%05d_next.sql", newestIn(known)+1)
	files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + up + "\n-- +goose Down\n" + down)}
	o.migrations = files
	return o
}

// expanding adds whatever an old program must get along with, contracting takes something away.
const expandingUp = `ALTER TABLE trips ADD COLUMN colour TEXT NOT NULL DEFAULT '';
	ALTER TABLE commands ADD COLUMN colour TEXT;
	ALTER TABLE write_checks ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';
	CREATE INDEX trips_colour ON trips (colour);
	CREATE TABLE colours (name TEXT PRIMARY KEY);
	INSERT INTO colours VALUES ('red');`

const expandingDown = `DROP TABLE colours;
	DROP INDEX trips_colour;
	ALTER TABLE write_checks DROP COLUMN colour;
	ALTER TABLE commands DROP COLUMN colour;
	ALTER TABLE trips DROP COLUMN colour;`

func contractingUp(oldest int64) string {
	return fmt.Sprintf("ALTER TABLE write_checks DROP COLUMN colour;\nUPDATE schema_compat SET oldest = %d;", oldest)
}

// onBoth runs a test on each engine.
func onBoth(t *testing.T, f func(t *testing.T, o Options)) {
	patient := func(o *Options) { o.StatementTimeout = time.Minute } // a slow machine changes a schema for long
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, Edited(TempSQLite(t), patient)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, Edited(DefaultPostgres(pgtest.Start(t)), patient)) })
}

// Programs of two versions share a database whose newer schema only adds to the older one; the older
// program starts again on it. Once a schema takes something away, programs that need it do not start.
func TestOldAndNewPrograms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var log LockedLog
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		next := newer(t, o, expandingUp, expandingDown)
		last := newer(t, next, contractingUp(newestIn(next.migrationsOf())), "ALTER TABLE write_checks ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';\nUPDATE schema_compat SET oldest = 10;")
		n := NewestSchema()

		running := openAt(t, o)
		stop, stopped := make(chan struct{}), make(chan error, 1)
		go func() { stopped <- commitUntil(running, stop) }()
		upgraded := openAt(t, next)
		close(stop)
		require.NoError(t, <-stopped, "an older server goes on while a newer one changes the schema")
		require.NoError(t, running.Commit(t.Context(), note(-1, 1)), "and afterwards")
		require.NoError(t, upgraded.Commit(t.Context(), note(-2, 1)))
		for _, id := range []string{"-1", "-2"} {
			for _, s := range []*Store{running, upgraded} {
				_, err := s.Command(t.Context(), "a", id)
				require.NoError(t, err)
			}
		}
		require.NotContains(t, log.String(), "newer than this program")

		again := openAt(t, o)
		require.NoError(t, again.Commit(t.Context(), note(-3, 1)))
		require.Contains(t, log.String(), fmt.Sprintf(`msg="the schema is newer than this program, which still runs on it" schema=%d program=%d`, n+1, n))
		list, err := Migrate(t.Context(), o, Status)
		require.NoError(t, err)
		require.Len(t, list, int(n)+1)
		added := list[n]
		require.Equal(t, Migration{Version: n + 1, Applied: true, At: added.At}, added)
		require.False(t, added.At.IsZero())
		found, err := Look(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, n+1, found.Schema)
		require.LessOrEqual(t, found.Oldest, n)
		_, err = Migrate(t.Context(), o, Down)
		require.ErrorIs(t, err, ErrTooOld)
		require.ErrorContains(t, err, fmt.Sprintf("the schema has version %d, and only a program that knows it can revert it, but this one knows only version %d", n+1, n))

		openAt(t, last)
		sentence := fmt.Sprintf("this program is too old for the database: the schema has version %d and needs a program that knows version %d, but this one knows only version %d", n+2, n+1, n)
		for what, try := range map[string]func() error{
			"open": func() error { _, err := Open(t.Context(), o); return err },
			"admit": func() error {
				_, err := Open(t.Context(), Edited(o, func(o *Options) { o.Admit = func(Found) error { return nil } }))
				return err
			},
			"up":     func() error { _, err := Migrate(t.Context(), o, Up); return err },
			"status": func() error { _, err := Migrate(t.Context(), o, Status); return err },
			"look":   func() error { _, err := Look(t.Context(), o); return err },
		} {
			err := try()
			require.ErrorIs(t, err, ErrTooOld, what)
			require.ErrorContains(t, err, sentence, what)
		}
		require.NoError(t, openAt(t, next).Commit(t.Context(), note(-4, 1)), "the program in between knows what was taken away")

		for _, known := range []Options{last, next} {
			_, err := Migrate(t.Context(), known, Down)
			require.NoError(t, err)
		}
		require.NoError(t, openAt(t, o).Commit(t.Context(), note(-5, 1)), "the newer programs reverted what they did")
	})
}

// commitUntil commits one transition after another.
func commitUntil(s *Store, stop chan struct{}) error {
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := s.Commit(ctx, note(n, 100))
		cancel()
		if err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// What a program runs on, by the newest migration that it knows.
func TestWhichProgramsRun(t *testing.T) {
	for _, x := range []struct {
		schema, oldest, newest int64
		runs                   bool
	}{
		{schema: 0, newest: 12, runs: true},
		{schema: 9, newest: 12, runs: true},
		{schema: 12, oldest: 12, newest: 12, runs: true},
		{schema: 13, oldest: 10, newest: 12, runs: true},
		{schema: 14, oldest: 12, newest: 12, runs: true},
		{schema: 13, oldest: 13, newest: 12},
		{schema: 14, oldest: 13, newest: 12},
		{schema: 13, newest: 12}, // a schema that does not say
	} {
		err := compat{x.schema, x.oldest}.suits(x.newest)
		require.Equal(t, x.runs, err == nil, "%+v: %v", x, err)
	}
	require.NoError(t, CheckSchema(NewestSchema(), 0))
	require.ErrorIs(t, CheckSchema(NewestSchema()+1, 0), ErrTooOld)
}

// Every migration that an older program may stumble over says which programs still run, and its
// way back takes that back. Migrations before the rule are exempt: no program without it runs on
// a newer schema.
func TestContractingMigrationsSaySo(t *testing.T) {
	oldest := int64(compatSince)
	files := Options{}.migrationsOf()
	for _, name := range migrationNames(files) {
		version, err := strconv.ParseInt(name[:5], 10, 64)
		require.NoError(t, err)
		text, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		if version > compatSince {
			require.NoError(t, declared(string(text), version, &oldest), name)
		}
	}
}

// declared checks one migration; oldest is what the ones before it left, and what this one leaves.
func declared(text string, version int64, oldest *int64) error {
	up, down, _ := strings.Cut(text, "-- +goose Down")
	before, raised := *oldest, setsOldest(up)
	for _, r := range raised {
		if r <= *oldest || r > version {
			return fmt.Errorf("oldest becomes %d, which is not in %d..%d", r, *oldest+1, version)
		}
		*oldest = r
	}
	if takes := contractions(up); len(takes) > 0 && len(raised) == 0 {
		return fmt.Errorf("it contracts, and leaves oldest at %d: %q", before, takes)
	}
	if back := setsOldest(down); len(raised) > 0 && (len(back) != 1 || back[0] != before) {
		return fmt.Errorf("its way back must set oldest to %d", before)
	}
	return nil
}

var (
	sqlComment = regexp.MustCompile(`--[^\n]*`)
	oldestSet  = regexp.MustCompile(`(?i)\bUPDATE\s+schema_compat\s+SET\s+oldest\s*=\s*(\d+)`)
	createdIn  = regexp.MustCompile(`(?i)^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)`)
	// contracting are statements that an older program may stumble over.
	contracting = regexp.MustCompile(`(?i)^DROP\s|^ALTER\s+\w+\s+.*\b(DROP|RENAME|ALTER|CONSTRAINT|CHECK|UNIQUE)\b|^CREATE\s+(OR\s+REPLACE\s+)?(TRIGGER|RULE)\b`)
	required    = regexp.MustCompile(`(?i)^ALTER\s+TABLE\b.*\bADD\b.*\bNOT\s+NULL\b`)
	withDefault = regexp.MustCompile(`(?i)\bDEFAULT\b`)
	uniqueOn    = regexp.MustCompile(`(?i)^CREATE\s+UNIQUE\s+INDEX\b.*?\bON\s+(\w+)`)
)

func setsOldest(text string) (out []int64) {
	for _, m := range oldestSet.FindAllStringSubmatch(sqlComment.ReplaceAllString(text, ""), -1) {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		out = append(out, n)
	}
	return out
}

// contractions are the statements of a migration's way up that older programs may stumble over:
// something goes or gets another name, a column or a constraint asks for what they do not write.
func contractions(up string) (out []string) {
	created := map[string]bool{}
	for s := range strings.SplitSeq(sqlComment.ReplaceAllString(up, ""), ";") {
		s = strings.Join(strings.Fields(s), " ")
		if m := createdIn.FindStringSubmatch(s); m != nil {
			created[m[1]] = true
		}
		unique := uniqueOn.FindStringSubmatch(s)
		if contracting.MatchString(s) || required.MatchString(s) && !withDefault.MatchString(s) || unique != nil && !created[unique[1]] {
			out = append(out, s)
		}
	}
	return out
}

func TestContractionsAreSeen(t *testing.T) {
	for _, s := range []string{
		"DROP TABLE x;", "drop index x_y;", "ALTER TABLE x DROP COLUMN y;", "ALTER TABLE x\n  RENAME COLUMN y TO z;", "ALTER TABLE x RENAME TO z;",
		"ALTER TABLE x ADD COLUMN y TEXT NOT NULL;", "ALTER TABLE x ADD y BIGINT not null;", "ALTER TABLE x ALTER COLUMN y SET NOT NULL;",
		"ALTER TABLE x ALTER COLUMN y TYPE BIGINT;", "ALTER TABLE x ADD CONSTRAINT z CHECK (y > 0);", "CREATE UNIQUE INDEX z ON x (y);",
		"CREATE TABLE z (y TEXT); CREATE UNIQUE INDEX z_y ON x (y);", "CREATE TRIGGER z BEFORE INSERT ON x BEGIN SELECT 1; END;",
	} {
		require.NotEmpty(t, contractions(s), s)
		oldest := int64(10)
		require.Error(t, declared("-- +goose Up\n"+s, 12, &oldest), s)
		require.NoError(t, declared("-- +goose Up\n"+s+"\nUPDATE schema_compat SET oldest = 12;\n-- +goose Down\nUPDATE schema_compat SET oldest = 10;", 12, &oldest), s)
		require.EqualValues(t, 12, oldest)
	}
	for _, s := range []string{
		"CREATE TABLE x (y TEXT NOT NULL UNIQUE);", "CREATE INDEX x_y ON x (y);", "ALTER TABLE x ADD COLUMN y TEXT;",
		"ALTER TABLE x ADD COLUMN y TEXT NOT NULL DEFAULT '';", "CREATE TABLE x (y TEXT); CREATE UNIQUE INDEX x_y ON x (y) WHERE y <> '';",
		"-- DROP TABLE x;\nUPDATE x SET y = 1;", "INSERT INTO x VALUES (1);",
	} {
		require.Empty(t, contractions(s), s)
		oldest := int64(10)
		require.NoError(t, declared("-- +goose Up\n"+s+"\n-- +goose Down\nDROP TABLE x;", 12, &oldest), s)
		require.EqualValues(t, 10, oldest)
	}
	for what, text := range map[string]string{
		"beyond itself":  "UPDATE schema_compat SET oldest = 13;\n-- +goose Down\nUPDATE schema_compat SET oldest = 10;",
		"back":           "UPDATE schema_compat SET oldest = 9;\n-- +goose Down\nUPDATE schema_compat SET oldest = 10;",
		"not":            "DROP TABLE x;\nUPDATE schema_compat SET oldest = 10;\n-- +goose Down\nUPDATE schema_compat SET oldest = 10;",
		"no way back":    "DROP TABLE x;\nUPDATE schema_compat SET oldest = 12;\n-- +goose Down\nSELECT 1;",
		"wrong way back": "DROP TABLE x;\nUPDATE schema_compat SET oldest = 12;\n-- +goose Down\nUPDATE schema_compat SET oldest = 11;",
		"in a comment":   "DROP TABLE x; -- UPDATE schema_compat SET oldest = 12;\n-- +goose Down\nUPDATE schema_compat SET oldest = 10;",
	} {
		oldest := int64(10)
		require.Error(t, declared(text, 12, &oldest), what)
	}
}
