package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// admin runs an admin command beside a running server and returns its exit code and output.
func admin(t *testing.T, s *harness.Server, stdin string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	env := cli.Environment{
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &out,
		LookupEnv: func(string) (string, bool) { return "", false }, Signals: make(chan os.Signal),
	}
	code := cli.Main(t.Context(), env, append([]string{"admin"}, append(args, s.StoreFlags()...)...))
	return code, out.String()
}

// approval returns an account's approval as its owner sees it.
func approval(t *testing.T, s *harness.Server, token string) (state, reason string) {
	t.Helper()
	status, body := s.Call(http.MethodGet, "/v1/me", token, "")
	require.Equal(t, http.StatusOK, status, body)
	var me struct {
		Approval struct{ State, Reason string }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &me))
	return me.Approval.State, me.Approval.Reason
}

func online() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
		Location: &ridepb.Location{Point: view.Point(geo.Point{Lat: 37.4986, Lng: 127.0283})},
	}}}
}

// A driver who signs up is pending and cannot get around that; an operator's command line approves
// and refuses them, and the open session is notified.
func TestDriversWaitForApproval(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--driver-approval")
		d := s.SignUp(t, ride.RoleDriver, "bowie")
		state, _ := approval(t, s, d.Tokens.Access)
		require.Equal(t, "pending", state)
		c, connected := harness.Connect(t, s, codec, d.Tokens.Access, nil)
		require.Equal(t, "pending", connected.GetApproval().GetState())
		require.Equal(t, "approval_pending", c.Ask(online()).GetError().GetCode())
		status, body := s.Call(http.MethodGet, "/v1/me/offers", d.Tokens.Access, "")
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, "approval_pending")

		// Nothing gets around it: another role, a profile that claims approval, new tokens, a
		// second sign-up.
		for _, body := range []string{`{"approval":"approved"}`, `{"approval":{"state":"approved"}}`, `{"role":"rider"}`, `{"status":"active"}`} {
			status, answer := s.Call(http.MethodPatch, "/v1/me", d.Tokens.Access, body)
			require.Equal(t, http.StatusUnprocessableEntity, status, answer)
		}
		status, body = s.Call(http.MethodPost, "/v1/accounts", "", strings.Replace(harness.SignUpBody(ride.RoleDriver, "bowie2"), "{", `{"approval":"approved",`, 1))
		require.Equal(t, http.StatusBadRequest, status, body)
		status, body = s.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+d.Tokens.Refresh+`"}`)
		require.Equal(t, http.StatusOK, status, body)
		d = harness.DecodeSignedIn(t, body)
		again, connected := harness.Connect(t, s, codec, d.Tokens.Access, nil)
		require.Equal(t, "pending", connected.GetApproval().GetState())
		require.Equal(t, "approval_pending", again.Ask(online()).GetError().GetCode())

		code, out := admin(t, s, "", "list", "--role=driver", "--approval=pending")
		require.Zero(t, code, out)
		require.Contains(t, out, "bowie")
		code, out = admin(t, s, "", "approve", "Bowie")
		require.Zero(t, code, out)
		again.Await("approval", 0, func(e *ridepb.Event) bool { return e.GetApprovalChanged().GetApproval().GetState() == "approved" })
		require.NotNil(t, again.Ask(online()).GetDone())

		code, out = admin(t, s, "", "refuse", "bowie", "--reason=The photo shows no face.")
		require.Zero(t, code, out)
		again.Await("refusal", 0, func(e *ridepb.Event) bool {
			a := e.GetApprovalChanged().GetApproval()
			return a.GetState() == "refused" && a.GetReason() == "The photo shows no face."
		})
		refused := again.Ask(online()).GetError()
		require.Equal(t, "approval_refused", refused.GetCode())
		require.Contains(t, refused.GetMessage(), "no face")
		state, reason := approval(t, s, d.Tokens.Access)
		require.Equal(t, []string{"refused", "The photo shows no face."}, []string{state, reason})
		status, body = s.Call(http.MethodPost, "/v1/accounts", "", harness.SignUpBody(ride.RoleDriver, "bowie"))
		require.Equal(t, http.StatusConflict, status, body)

		// A driver with a token from an outside issuer need not wait.
		_, connected = harness.Connect(t, s, codec, s.Token(ride.RoleDriver, "vouched"), nil)
		require.Equal(t, "approved", connected.GetApproval().GetState())
		code, out = admin(t, s, "", "approve", "nobody")
		require.NotZero(t, code)
		require.Contains(t, out, `there is no account "nobody"`)
		s.SignUp(t, ride.RoleRider, "ada")
		code, out = admin(t, s, "", "approve", "ada")
		require.NotZero(t, code)
		require.Contains(t, out, "is not a driver")
	})
}

// What the command line does to accounts closes the sockets of a running server.
func TestAdminCommandsReachARunningServer(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start()
		code, out := admin(t, s, "a long enough secret\n", "create", "anna", "--password-stdin")
		require.Zero(t, code, out)
		code, out = admin(t, s, "", "list")
		require.Zero(t, code, out)
		require.Contains(t, out, "anna")
		require.NotContains(t, out, "secret")
		logIn := func(password string) (int, harness.SignedIn) {
			status, body := s.Call(http.MethodPost, "/v1/login", "", `{"username":"anna","password":"`+password+`"}`)
			if status != http.StatusOK {
				return status, harness.SignedIn{}
			}
			return status, harness.DecodeSignedIn(t, body)
		}
		for _, padded := range []string{"anna ", "\u00a0anna\u200b"} {
			code, out = admin(t, s, "a long enough secret\n", "create", padded, "--password-stdin")
			require.NotZero(t, code, "the name is taken: %s", out)
			code, out = admin(t, s, "", "enable", padded)
			require.Zero(t, code, out)
		}
		_, anna := logIn("a long enough secret")
		c, _ := harness.Connect(t, s, codec, anna.Tokens.Access, nil)
		code, out = admin(t, s, "", "reset-password", "anna")
		require.Zero(t, code, out)
		_, made, ok := strings.Cut(strings.TrimSpace(out), "shown this once: ")
		require.True(t, ok, out)
		require.Equal(t, int(ridepb.CloseRevoked), c.Closed())
		status, _ := logIn("a long enough secret")
		require.Equal(t, http.StatusUnauthorized, status)
		status, anna = logIn(made)
		require.Equal(t, http.StatusOK, status)
		c, _ = harness.Connect(t, s, codec, anna.Tokens.Access, nil)

		code, out = admin(t, s, "", "disable", "anna")
		require.Zero(t, code, out)
		require.Equal(t, int(ridepb.CloseSuspended), c.Closed())
		status, _ = logIn(made)
		require.Equal(t, http.StatusForbidden, status)
		code, out = admin(t, s, "", "list", "--disabled")
		require.Zero(t, code, out)
		require.Contains(t, out, "disabled")
		code, out = admin(t, s, "", "enable", "anna")
		require.Zero(t, code, out)
		status, anna = logIn(made)
		require.Equal(t, http.StatusOK, status)
		c, _ = harness.Connect(t, s, codec, anna.Tokens.Access, nil)
		code, out = admin(t, s, "", "erase", "anna", "--yes")
		require.Zero(t, code, out)
		require.Equal(t, int(ridepb.CloseRevoked), c.Closed())
		status, _ = logIn(made)
		require.Equal(t, http.StatusUnauthorized, status)
	})
}

// A trial approves drivers at once, and says that it is a trial.
func TestTrial(t *testing.T) {
	s := harness.Start(t, harness.Options{Flags: []string{"--trial"}, Plain: true})
	status, body := s.Call(http.MethodGet, "/v1/config", "", "")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{`"trial":true`, `"simulated_drive":true`, `"driver_approval":false`} {
		require.Contains(t, body, want)
	}
	require.Contains(t, s.Log(), "This is a trial")
	d := s.SignUp(t, ride.RoleDriver, "bowie")
	c, _ := harness.Connect(t, s, wire.JSON, d.Tokens.Access, nil)
	require.NotNil(t, c.Ask(online()).GetDone())

	ordinary := harness.Start(t, harness.Options{Plain: true})
	_, body = ordinary.Call(http.MethodGet, "/v1/config", "", "")
	for _, want := range []string{`"trial":false`, `"simulated_drive":false`, `"driver_approval":true`} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, ordinary.Log(), "trial")
}
