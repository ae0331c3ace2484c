package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// photo sets a photo and returns its address and content.
func photo(t *testing.T, s *harness.Server, token string) (path, body string) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 40, 40))))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.HTTP+"/v1/me/photo", &b)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "image/png")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Less(t, resp.StatusCode, 300)
	_, me := s.Call(http.MethodGet, "/v1/me", token, "")
	var account struct {
		Photo string `json:"photo_url"`
	}
	require.NoError(t, json.Unmarshal([]byte(me), &account))
	require.NotEmpty(t, account.Photo, me)
	path = account.Photo[strings.Index(account.Photo, "/v1/"):]
	status, body := s.Call(http.MethodGet, path, token, "")
	require.Equal(t, http.StatusOK, status)
	return path, body
}

// keepAsking lets riders request and cancel continuously, until stop.
func keepAsking(w *world, riders int) (asked *atomic.Int64, stop func()) {
	asked = new(atomic.Int64)
	end := make(chan struct{})
	var wg sync.WaitGroup
	for i := range riders {
		c := w.rider()
		at := geo.Destination(w.at, 180, 15000+float64(100*i)) // far from every driver
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				trip := c.Ask(harness.Request(at, geo.Destination(at, 90, 2000))).GetTrip()
				if trip == nil || c.Ask(harness.Cancel(trip.GetId())).GetTrip() == nil {
					w.t.Error("a request or its cancellation was refused")
					return
				}
				asked.Add(1)
			}
		})
	}
	return asked, sync.OnceFunc(func() { close(end); wg.Wait() })
}

// A backup of a busy server, restored elsewhere, is that server: accounts, log-ins, photos, and a
// ride that continues where it was.
func TestBackupAndRestore(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{Child: true, Flags: []string{"--limit-cancels-free=1000000"}}), codecs[0])
		own := w.s.SignUp(t, ride.RoleRider, "ana"+w.name(ride.RoleRider))
		path, picture := photo(t, w.s, own.Tokens.Access)
		rider, d := w.rider(), w.driver(20)
		trip := w.match(rider, d).GetId()
		known := d.Ask(harness.Arrived(trip))
		require.NotNil(t, known.GetTrip())
		asked, stop := keepAsking(w, 4)
		defer stop()
		harness.Until(t, "load", func() bool { return asked.Load() > 20 })

		dir := t.TempDir()
		file := filepath.Join(dir, "backup")
		code, said := harness.Command(t.Context(), append([]string{"backup", file}, w.s.StoreFlags()...)...)
		require.Equal(t, 0, code, said)
		require.Contains(t, said, "was written to")
		st, err := os.Stat(file)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, st.Mode().Perm())
		during := asked.Load()
		harness.Until(t, "requests after the backup", func() bool { return asked.Load() > during })
		code, said = harness.Command(t.Context(), append([]string{"restore", "--force", file}, w.s.StoreFlags()...)...)
		require.Equal(t, 1, code, said)
		require.Contains(t, said, "another Hexhail server uses this database")
		stop()
		require.NotNil(t, d.Ask(harness.StartTrip(trip, "")).GetTrip(), "the backup does not contain what happens now")
		require.NoError(t, w.s.Stop())

		to := filepath.Join(dir, "elsewhere")
		flags := []string{"--data-dir=" + to}
		for _, f := range w.s.StoreFlags() {
			if strings.HasPrefix(f, "--database-url=") {
				flags = append(flags, "--database-url="+pgtest.Start(t))
			}
		}
		code, said = harness.Command(t.Context(), append([]string{"restore", file}, flags...)...)
		require.Equal(t, 0, code, said)
		code, said = harness.Command(t.Context(), append([]string{"restore", file}, flags...)...)
		require.Equal(t, 1, code, said)
		require.Contains(t, said, "there are data already")

		w.s = harness.Start(t, harness.Options{Child: true, Dir: to, Flags: flags[1:]})
		status, me := w.s.Call(http.MethodGet, "/v1/me", own.Tokens.Access, "")
		require.Equal(t, http.StatusOK, status, "the key is the same: %s", me)
		status, got := w.s.Call(http.MethodGet, path, own.Tokens.Access, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, picture, got)
		status, body := w.s.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+own.Tokens.Refresh+`"}`)
		require.Equal(t, http.StatusOK, status, body)
		rider, connected := w.back(ride.RoleRider, rider.Name)
		require.Equal(t, known.GetTrip().GetVersion(), connected.GetActiveTrip().GetVersion())
		d, _ = w.back(ride.RoleDriver, d.Name)
		require.NotNil(t, d.Ask(harness.StartTrip(trip, "")).GetTrip())
		require.NotNil(t, d.Ask(harness.Complete(trip)).GetTrip())
		rider.Status(trip, ridepb.Trip_completed)
		w.request(w.rider())
	})
}

// The remains of a server are not taken for a new one: serve and the other commands say in one line
// what to do, and change nothing.
func TestRemainsAreNoNewServer(t *testing.T) {
	const text = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI"
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  []string
		eased bool // by --make-missing
	}{
		"no database": {func(t *testing.T, dir string) { remove(t, dir, "hexhail.db") },
			[]string{"hexhail.db is missing or empty", "hexhail restore FILE", "--make-missing"}, true},
		"empty database": {func(t *testing.T, dir string) { require.NoError(t, os.Truncate(filepath.Join(dir, "hexhail.db"), 0)) },
			[]string{"hexhail.db is missing or empty", "hexhail restore FILE", "--make-missing"}, true},
		"no database and no key": {func(t *testing.T, dir string) { remove(t, dir, "hexhail.db"); remove(t, dir, "signing-key.pem") },
			[]string{"hexhail.db is missing or empty", "--make-missing"}, true},
		"no key": {func(t *testing.T, dir string) { remove(t, dir, "signing-key.pem") },
			[]string{"signing-key.pem is missing, but the database is in use", "--make-missing"}, true},
		"open key": {func(t *testing.T, dir string) {
			require.NoError(t, os.Chmod(filepath.Join(dir, "signing-key.pem"), 0o644))
		},
			[]string{"signing-key.pem is open to others (mode 0644); run chmod 600"}, false},
		"half a key": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "signing-key.pem"), []byte(text), 0o600))
		}, []string{"signing-key.pem holds no whole signing key", "backup"}, false},
		"empty key": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "signing-key.pem"), 0))
		},
			[]string{"signing-key.pem holds no whole signing key", "backup"}, false},
		"no database at all": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "hexhail.db"), []byte(strings.Repeat("text ", 2000)), 0o600))
		}, []string{"the database is damaged"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, harness.Options{})
			s.SignUp(t, ride.RoleRider, "ana")
			require.NoError(t, s.Stop())
			c.spoil(t, s.Dir)
			before := names(t, s.Dir)
			args := serve(s.StoreFlags()...)
			code, said := harness.Command(t.Context(), args...)
			require.Equal(t, 1, code, said)
			last := lastLine(said)
			for _, want := range c.says {
				require.Contains(t, last, want)
			}
			if strings.HasPrefix(c.says[0], "hexhail.db") {
				for _, other := range [][]string{{"admin", "list"}, {"admin", "create", "anna"}, {"migrate", "up"}, {"migrate", "status"}} {
					code, said := harness.Command(t.Context(), append(other, s.StoreFlags()...)...)
					require.Equal(t, 1, code, "%v: %s", other, said)
				}
			}
			require.Equal(t, before, names(t, s.Dir), "nothing is made")
			if c.eased {
				again := harness.Start(t, harness.Options{Dir: s.Dir, Flags: []string{"--make-missing"}})
				again.SignUp(t, ride.RoleRider, "bob")
			}
		})
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s := harness.Start(t, harness.Options{Flags: []string{"--database-url=" + pgtest.Start(t)}})
		require.NoError(t, s.Stop())
		code, said := harness.Command(t.Context(), serve("--data-dir="+s.Dir, "--database-url="+pgtest.Start(t))...)
		require.Equal(t, 1, code, said)
		require.Contains(t, lastLine(said), "the Postgres database is empty")
	})
	t.Run("an operator before the first start", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		code, said := harness.Command(t.Context(), "admin", "create", "anna", "--data-dir="+dir)
		require.Equal(t, 0, code, said)
		require.NoError(t, harness.Start(t, harness.Options{Dir: dir}).Stop())
		require.NoError(t, harness.Start(t, harness.Options{Dir: dir}).Stop(), "there are no people yet")
	})
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(dir, name)))
}

// names lists a directory's files with their lengths.
func names(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := make(map[string]int64)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		out[e.Name()] = info.Size()
	}
	return out
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
