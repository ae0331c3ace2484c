package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Password is the password of every account that SignUp creates.
const Password = "correct horse battery staple"

// SignedIn is the answer to sign-up, log-in and refresh.
type SignedIn struct {
	Account struct {
		ID string `json:"id"`
	} `json:"account"`
	Tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	} `json:"tokens"`
}

// SignUp creates an account with a password on this server. It retries if the server is busy with
// other sign-ups.
func (s *Server) SignUp(tb testing.TB, role ride.Role, username string) SignedIn {
	tb.Helper()
	var status int
	var body string
	Until(tb, "room to sign up", func() bool {
		status, body = s.Call(http.MethodPost, "/v1/accounts", "", SignUpBody(role, username))
		return status != http.StatusServiceUnavailable
	})
	if status != http.StatusCreated {
		tb.Fatalf("sign-up: %d %s", status, body)
	}
	return DecodeSignedIn(tb, body)
}

// SignUpBody is the body of a sign-up.
func SignUpBody(role ride.Role, username string) string {
	vehicle := ""
	if role == ride.RoleDriver {
		vehicle = `,"vehicle_class":"standard","plate":"HX 1"`
	}
	return fmt.Sprintf(`{"username":%q,"password":%q,"first_name":"First","last_name":"Last","role":%q%s}`,
		username, Password, role, vehicle)
}

// DecodeSignedIn reads the answer of a sign-in.
func DecodeSignedIn(tb testing.TB, body string) SignedIn {
	tb.Helper()
	var in SignedIn
	if err := json.Unmarshal([]byte(body), &in); err != nil || in.Tokens.Access == "" {
		tb.Fatalf("no sign-in: %v in %s", err, body)
	}
	return in
}

// Metric is the sum of a metric's series, on all nodes, whose labels contain all of the given texts,
// such as code="4001".
func (s *Server) Metric(name string, labels ...string) float64 {
	s.tb.Helper()
	if s.nodes != nil {
		sum := 0.0
		for _, node := range s.nodes {
			sum += node.Metric(name, labels...)
		}
		return sum
	}
	resp, err := http.Get(s.Ops + "/metrics")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	sum := 0.0
lines:
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(line, l) {
				continue lines
			}
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			s.tb.Fatalf("metric %q: %v", line, err)
		}
		sum += v
	}
	return sum
}

// Heap is the bytes in use on the server's heap, or on those of all nodes, after a garbage collection.
func (s *Server) Heap() float64 {
	s.tb.Helper()
	if s.nodes != nil {
		sum := 0.0
		for _, node := range s.nodes {
			sum += node.Heap()
		}
		return sum
	}
	resp, err := http.Get(s.Ops + "/debug/pprof/heap?gc=1")
	if err != nil {
		s.tb.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		s.tb.Fatalf("heap: %d %v", resp.StatusCode, err)
	}
	return s.Metric("go_memstats_heap_inuse_bytes")
}

// Within compares how long something took with a promised bound. On a busy machine, times say more
// about the machine than about Hexhail, so the bound is enforced only if HEXHAIL_BOUNDS=1 says that
// the machine is quiet, as .ci/run does in a separate stage.
func Within(tb testing.TB, what string, took, bound time.Duration) {
	tb.Helper()
	if took <= bound {
		return
	}
	if os.Getenv("HEXHAIL_BOUNDS") != "" {
		tb.Fatalf("%s took %s; the bound is %s", what, took, bound)
	}
	tb.Logf("%s took %s; the bound is %s on a quiet machine", what, took, bound)
}

// Until polls until a condition holds, and fails the test if it does not in time.
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not in time", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
