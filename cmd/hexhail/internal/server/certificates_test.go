package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/servertls/acmetest"
)

// started is a server whose services run until the test ends.
func started(t *testing.T, c *config.Config) (*Server, *ops.Server) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	operations := ops.New(ops.Options{Log: log})
	s, err := Assemble(t.Context(), Base{Config: c, Log: log, Ops: operations})
	require.NoError(t, err)
	for _, service := range s.Services {
		require.NoError(t, service.Start(t.Context()), service.Name)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			require.NoError(t, service.Stop(ctx), service.Name)
		})
	}
	return s, operations
}

// TestServerObtainsItsCertificate: a server with tls-auto serves its web app under the certificate
// that it obtained through its own port, and is ready from then on.
func TestServerObtainsItsCertificate(t *testing.T) {
	authority := acmetest.New(t)
	c := defaults(t)
	c.Store.DataDir, c.HTTP.Listen, c.Ops.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.TLSAuto, c.HTTP.TLSAutoAgree = []string{"rides.example.org"}, true
	c.HTTP.TLSAutoDirectory, c.HTTP.TLSAutoCA = authority.Directory(), authority.DirectoryFile(t)
	s, _ := started(t, c)
	u, err := url.Parse(s.Addresses()[0].URL)
	require.NoError(t, err)
	require.Equal(t, "https", u.Scheme)
	at := u.Host
	authority.ProveAt(at)
	transport := &http.Transport{
		DialTLSContext: (&tls.Dialer{Config: &tls.Config{ServerName: "rides.example.org", RootCAs: authority.Roots()}}).DialContext,
	}
	defer transport.CloseIdleConnections()
	require.Eventually(t, func() bool {
		answer, err := (&http.Client{Transport: transport}).Get("https://" + at + "/healthz")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, 3*time.Minute, 50*time.Millisecond, "an attempt that fails is repeated after a minute")
	_, err = os.Stat(filepath.Join(c.Store.DataDir, "certificates"))
	require.NoError(t, err)
}

// TestServerRefusesBadCertificates: a server that could not show one does not start.
func TestServerRefusesBadCertificates(t *testing.T) {
	for name, edit := range map[string]func(*config.HTTP, string){
		"files":     func(h *config.HTTP, none string) { h.TLSCert, h.TLSKey = none, none },
		"authority": func(h *config.HTTP, none string) { h.TLSAuto, h.TLSAutoCA = []string{"rides.example.org"}, none },
	} {
		t.Run(name, func(t *testing.T) {
			c := defaults(t)
			c.HTTP.Listen = "127.0.0.1:0"
			edit(&c.HTTP, filepath.Join(t.TempDir(), "none.pem"))
			p := &parts{cfg: c, log: slog.New(slog.DiscardHandler), ops: ops.New(ops.Options{Log: slog.New(slog.DiscardHandler)})}
			require.ErrorIs(t, p.certify(), os.ErrNotExist)
		})
	}
}
