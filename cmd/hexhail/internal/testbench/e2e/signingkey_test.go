package e2e

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// A server on Postgres whose signing key is not the one recorded there exits and says what to do. A
// lost key is replaced on demand, and log-ins continue; the former key is then refused.
func TestAnotherSigningKey(t *testing.T) {
	t.Parallel()
	flags := []string{"--database-url=" + pgtest.Start(t)}
	s := harness.Start(t, harness.Options{Flags: flags})
	ana := s.SignUp(t, ride.RoleRider, "ana")
	require.NoError(t, s.Stop())

	other := filepath.Join(t.TempDir(), "other.pem")
	_, err := auth.LoadOrCreateKey(other)
	require.NoError(t, err)
	args := append(s.StoreFlags(), "--signing-key-file="+other)
	for range 2 {
		code, said := harness.Command(t.Context(), serve(args...)...)
		require.Equal(t, 1, code, said)
		require.Contains(t, lastLine(said), other+" signs with key ")
		require.Contains(t, lastLine(said), "hexhail serve --make-missing")
	}
	flags = append(flags, "--signing-key-file="+other)
	again := harness.Start(t, harness.Options{Dir: s.Dir, Flags: append(flags, "--make-missing")})
	status, body := again.Call(http.MethodGet, "/v1/me", ana.Tokens.Access, "")
	require.Equal(t, http.StatusUnauthorized, status, body)
	status, body = again.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+ana.Tokens.Refresh+`"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.NoError(t, again.Stop())
	require.NoError(t, harness.Start(t, harness.Options{Dir: s.Dir, Flags: flags}).Stop())
	code, said := harness.Command(t.Context(), serve(s.StoreFlags()...)...)
	require.Equal(t, 1, code, said)
	require.Contains(t, lastLine(said), "servers on this database sign with key ")
}
