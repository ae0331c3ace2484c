package backup

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to damage databases

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

func quiet() Options { return Options{Program: "test", Progress: func(string, int64, int64) {}} }

func forced() Options {
	o := quiet()
	o.Force = true
	return o
}

// place is a data directory that does not exist yet.
func place(t *testing.T) Place {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "data")
	p := Place{Store: persistence.DefaultSQLite(filepath.Join(dir, "hexhail.db")), DataDir: dir, KeyPath: filepath.Join(dir, keyName)}
	p.Store.PurgeEvery, p.Store.OwnerPatience = 0, time.Millisecond
	return p
}

// lived is a place with a key and an account called name.
func lived(t *testing.T, name string) Place {
	t.Helper()
	p := place(t)
	s, err := persistence.Open(t.Context(), p.Store)
	require.NoError(t, err)
	at := time.Now().UTC().Truncate(time.Microsecond)
	require.NoError(t, s.CreateAccount(t.Context(), ride.Account{
		ID: ride.AccountID(name), Role: ride.RoleRider, Status: ride.AccountActive, Username: name, FirstName: name, CreatedAt: at, UpdatedAt: at,
	}, "hash"))
	require.NoError(t, s.Close())
	_, err = auth.LoadOrCreateKey(p.KeyPath)
	require.NoError(t, err)
	return p
}

// holds reports whether a place has an account.
func holds(t *testing.T, p Place, name string) bool {
	t.Helper()
	s, err := persistence.Open(t.Context(), p.Store)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, _, err = s.AccountByUsername(t.Context(), name)
	if err != nil {
		require.ErrorIs(t, err, ride.ErrNotFound)
	}
	return err == nil
}

// files returns all files under a directory with their contents.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return out
}

func made(t *testing.T, p Place) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "backup")
	_, err := Write(t.Context(), p, to, quiet())
	require.NoError(t, err)
	return to
}

func restore(t *testing.T, p Place, from string, o Options) (Report, error) {
	t.Helper()
	f, err := os.Open(from)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	return Restore(t.Context(), p, f, o)
}

func TestBackupAndRestore(t *testing.T) {
	p := lived(t, "ana")
	require.NoError(t, os.WriteFile(filepath.Join(p.DataDir, demoName), []byte("secret"), 0o600))
	before := files(t, p.DataDir)
	to := filepath.Join(t.TempDir(), "backup")
	rep, err := Write(t.Context(), p, to, quiet())
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Rows["accounts"])
	require.Equal(t, persistence.NewestSchema(), rep.Schema)
	require.Equal(t, before, files(t, p.DataDir), "the data have not changed")
	st, err := os.Stat(to)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), st.Mode().Perm())
	require.Equal(t, st.Size(), rep.Size)
	require.Len(t, files(t, filepath.Dir(to)), 1, "nothing is left beside it")

	fresh := place(t)
	_, err = restore(t, fresh, to, quiet())
	require.NoError(t, err)
	for _, name := range []string{"hexhail.db", keyName, demoName} {
		st, err := os.Stat(filepath.Join(fresh.DataDir, name))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), st.Mode().Perm(), name)
	}
	require.Equal(t, before[p.KeyPath], files(t, fresh.DataDir)[fresh.KeyPath])
	require.True(t, holds(t, fresh, "ana"))

	var b bytes.Buffer
	_, err = Stream(t.Context(), fresh, &b, quiet())
	require.NoError(t, err)
	again := place(t)
	_, err = Restore(t.Context(), again, &b, quiet())
	require.NoError(t, err)
	require.True(t, holds(t, again, "ana"))
}

// A backup that fails leaves no files behind and existing ones unchanged.
func TestBackupFails(t *testing.T) {
	p := lived(t, "ana")
	dir := t.TempDir()
	to := filepath.Join(dir, "backup")
	refused := func(p Place, want error, says string) {
		t.Helper()
		before := files(t, dir)
		_, err := Write(t.Context(), p, to, quiet())
		require.Error(t, err)
		if want != nil {
			require.ErrorIs(t, err, want)
		}
		require.ErrorContains(t, err, says)
		require.Equal(t, before, files(t, dir))
	}
	none := place(t)
	refused(none, persistence.ErrNoDatabase, "there is no database")
	require.NoDirExists(t, none.DataDir)

	half := lived(t, "ana")
	require.NoError(t, os.WriteFile(half.KeyPath, []byte("-----BEGIN PRIVATE KEY-----\nMC4CAQ"), 0o600))
	refused(half, auth.ErrConfig, "signing key")

	spoiled := lived(t, "ana")
	require.NoError(t, os.WriteFile(spoiled.Store.Path, bytes.Repeat([]byte("no database "), 1000), 0o600))
	refused(spoiled, persistence.ErrDamaged, "damaged")

	torn := lived(t, "ana")
	b, err := os.ReadFile(torn.Store.Path)
	require.NoError(t, err)
	for i := 3 * 4096; i < len(b); i += 4096 {
		copy(b[i:], bytes.Repeat([]byte{0xee}, 64))
	}
	require.NoError(t, os.WriteFile(torn.Store.Path, b, 0o600))
	refused(torn, persistence.ErrDamaged, "damaged")

	ctx, cancel := context.WithCancel(t.Context())
	o := quiet()
	o.Progress = func(step string, _, _ int64) {
		if step == "writing" {
			cancel()
		}
	}
	_, err = Write(ctx, p, to, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, files(t, dir))

	free = func(string) (int64, bool) { return 1 << 20, true }
	t.Cleanup(func() { free = freeBytes })
	refused(p, ErrNoSpace, "MiB are needed")
	_, err = restore(t, place(t), made2(t, p), quiet())
	require.ErrorIs(t, err, ErrNoSpace)
}

// made2 makes a backup although the disk appears to be full.
func made2(t *testing.T, p Place) string {
	t.Helper()
	full := free
	defer func() { free = full }()
	free = freeBytes
	return made(t, p)
}

// A file is replaced only on demand; the remains of a killed backup do not block later ones
// forever.
func TestBackupKeepsWhatIsThere(t *testing.T) {
	p := lived(t, "ana")
	to := made(t, p)
	before := files(t, filepath.Dir(to))
	_, err := Write(t.Context(), p, to, quiet())
	require.ErrorIs(t, err, ErrExists)
	require.Equal(t, before, files(t, filepath.Dir(to)))
	_, err = Write(t.Context(), p, filepath.Dir(to), forced())
	require.ErrorContains(t, err, "is a directory")

	require.NoError(t, os.WriteFile(to+".partial", []byte("half"), 0o600))
	_, err = Write(t.Context(), p, to, forced())
	require.ErrorContains(t, err, "another backup is writing it")
	require.FileExists(t, to+".partial")
	old := time.Now().Add(-2 * staleAfter)
	require.NoError(t, os.Chtimes(to+".partial", old, old))
	_, err = Write(t.Context(), p, to, forced())
	require.NoError(t, err)
	require.Len(t, files(t, filepath.Dir(to)), 1)
}

// A refused restore changes nothing.
func TestRestoreIsRefused(t *testing.T) {
	p := lived(t, "ana")
	whole := made(t, p)
	b, err := os.ReadFile(whole)
	require.NoError(t, err)
	other := func(change func([]byte) []byte) string {
		path := filepath.Join(t.TempDir(), "backup")
		require.NoError(t, os.WriteFile(path, change(bytes.Clone(b)), 0o600))
		return path
	}
	newer := lived(t, "ana")
	alter(t, newer, toNewer, `UPDATE schema_compat SET oldest = 9998`)
	occupied, keyed := lived(t, "bob"), place(t)
	_, err = auth.LoadOrCreateKey(keyed.KeyPath)
	require.Error(t, err, "its directory is missing")
	require.NoError(t, os.MkdirAll(keyed.DataDir, 0o700))
	_, err = auth.LoadOrCreateKey(keyed.KeyPath)
	require.NoError(t, err)
	logged := place(t)
	require.NoError(t, os.MkdirAll(logged.DataDir, 0o700))
	require.NoError(t, os.WriteFile(logged.Store.Path+"-wal", []byte("log"), 0o600))

	for name, c := range map[string]struct {
		to   Place
		from string
		want error
	}{
		"cut":         {place(t), other(func(b []byte) []byte { return b[:len(b)/2] }), ErrCut},
		"changed":     {place(t), other(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), ErrChanged},
		"foreign":     {place(t), other(func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) }), ErrForeign},
		"newer":       {place(t), made(t, newer), ErrNewer},
		"occupied":    {occupied, whole, ErrOccupied},
		"another key": {keyed, whole, ErrOccupied},
		"a log":       {logged, whole, ErrOccupied},
	} {
		before := files(t, c.to.DataDir)
		_, err := restore(t, c.to, c.from, quiet())
		require.ErrorIs(t, err, c.want, name)
		after := files(t, c.to.DataDir)
		delete(after, c.to.Store.Path+".owner") // the lock file beside an existing database
		require.Equal(t, before, after, name)
		if len(before) == 0 {
			require.NoDirExists(t, filepath.Dir(c.to.DataDir), name)
		}
	}
}

// toNewer is what a newer program does to a schema on which this one still runs.
const toNewer = `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE); CREATE TABLE later (x TEXT); INSERT INTO later VALUES ('y')`

// alter changes a place's database in a way that its program does not.
func alter(t *testing.T, p Place, texts ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", p.Store.Path)
	if p.Store.DatabaseURL != "" {
		db, err = sql.Open("pgx", p.Store.DatabaseURL)
	}
	require.NoError(t, err)
	for _, text := range texts {
		_, err := db.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

// A backup of a newer schema says what it needs, and is restored by a program that suffices.
func TestRestoreANewerSchema(t *testing.T) {
	for name, newPlace := range map[string]func(t *testing.T, name string) Place{
		"sqlite": func(t *testing.T, name string) Place {
			if name == "" {
				return place(t)
			}
			return lived(t, name)
		},
		"postgres": onPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			from := newPlace(t, "ana")
			alter(t, from, toNewer)
			backup, to := made(t, from), newPlace(t, "")
			rep, err := restore(t, to, backup, quiet())
			require.NoError(t, err)
			require.EqualValues(t, 9999, rep.Schema)
			require.Positive(t, rep.Oldest)
			require.LessOrEqual(t, rep.Oldest, persistence.NewestSchema())
			require.True(t, holds(t, to, "ana"))
			alter(t, to, `DELETE FROM later WHERE x = 'y'`) // it came along

			old := made(t, newPlace(t, "bob"))
			_, err = restore(t, to, old, forced())
			if name == "sqlite" {
				require.NoError(t, err)
				require.True(t, holds(t, to, "bob"))
			} else { // it would leave the table behind
				require.ErrorContains(t, err, "the Postgres database has schema 9999")
				require.True(t, holds(t, to, "ana"))
			}

			alter(t, from, `UPDATE schema_compat SET oldest = 9998`)
			_, err = restore(t, newPlace(t, ""), made(t, from), quiet())
			require.ErrorIs(t, err, ErrNewer)
			require.ErrorIs(t, err, persistence.ErrTooOld)
			require.ErrorContains(t, err, "has version 9999 and needs a program that knows version 9998")
		})
	}
}

// A program compares what a backup counted, however many tables the other program knew.
func TestDescribes(t *testing.T) {
	m := Manifest{Schema: 12, Oldest: 10, Rows: map[string]int64{"trips": 2, "later": 1}}
	is := func(schema, oldest int64, rows map[string]int64) persistence.Contents {
		return persistence.Contents{Schema: schema, Oldest: oldest, Rows: rows}
	}
	require.True(t, m.describes(is(12, 10, map[string]int64{"trips": 2, "later": 1})))
	require.True(t, m.describes(is(12, 10, map[string]int64{"trips": 2, "later": 1, "even_later": 7})))
	require.False(t, m.describes(is(12, 10, map[string]int64{"trips": 2})))
	require.False(t, m.describes(is(12, 10, map[string]int64{"trips": 2, "later": 0})))
	require.False(t, m.describes(is(11, 10, m.Rows)))
	require.False(t, m.describes(is(12, 12, m.Rows)))
}

// With force, existing data are kept beside the restored ones and can be opened.
func TestRestoreSetsAside(t *testing.T) {
	to, from := lived(t, "bob"), made(t, lived(t, "ana"))
	key := files(t, to.DataDir)[to.KeyPath]
	rep, err := restore(t, to, from, forced())
	require.NoError(t, err)
	require.Len(t, rep.Replaced, 2)
	require.True(t, holds(t, to, "ana"))
	require.False(t, holds(t, to, "bob"))
	require.NotEqual(t, key, files(t, to.DataDir)[to.KeyPath])
	require.Equal(t, key, files(t, to.DataDir)[rep.Replaced[0]])
	former := to
	former.Store.Path = rep.Replaced[1]
	require.True(t, holds(t, former, "bob"))
}

// Nothing is restored under a running server, not even with force.
func TestRestoreBesideAServer(t *testing.T) {
	p := lived(t, "bob")
	from := made(t, p)
	o := p.Store
	o.Own = true
	s, err := persistence.Open(t.Context(), o)
	require.NoError(t, err)
	before := files(t, p.DataDir)
	_, err = restore(t, p, from, forced())
	require.ErrorIs(t, err, persistence.ErrOwned)
	require.Equal(t, before, files(t, p.DataDir))
	require.NoError(t, s.Close())
	_, err = restore(t, p, from, forced())
	require.NoError(t, err)
}
