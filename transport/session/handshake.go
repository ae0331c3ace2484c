package session

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/problem"
)

// Why sockets are refused before the upgrade, as the metrics name it.
const (
	reasonDraining        = "draining"
	reasonFull            = "full"
	reasonAddressFull     = "address_full"
	reasonQueryCredential = "credential_in_url"
	reasonCredential      = "credential"
	reasonUnavailable     = "unavailable"
	reasonHandshake       = "handshake"
)

var refusalReasons = []string{
	reasonDraining, reasonFull, reasonAddressFull, reasonQueryCredential, reasonCredential, reasonUnavailable, reasonHandshake,
}

// handshakeRefusal is why a socket is refused before the upgrade.
type handshakeRefusal struct {
	reason string // for the metrics
	status int
	err    *ride.Error
}

var (
	refusedDraining = &handshakeRefusal{reasonDraining, http.StatusServiceUnavailable, ride.ErrShuttingDown}
	refusedFull     = &handshakeRefusal{reasonFull, http.StatusServiceUnavailable, ride.ErrUnavailable.With("This server has no room for another socket.")}
	// Not 503, after which a balancer would ask the other servers and take this one for broken.
	refusedAddressFull = &handshakeRefusal{reasonAddressFull, http.StatusTooManyRequests, ride.ErrTooMany.With("Too many sockets from this address.")}
)

func queryCredential(name string) *handshakeRefusal {
	return &handshakeRefusal{reasonQueryCredential, http.StatusBadRequest, ride.ErrInvalidArgument.With(
		"Do not put credentials in a URL, because URLs end up in logs: use the Authorization header or the connect message.").In(name)}
}

// credentialRefused says over HTTP that the Authorization header does not count.
func credentialRefused(err *ride.Error) *handshakeRefusal {
	r := &handshakeRefusal{reasonUnavailable, problem.Status(err), err}
	switch {
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		r.reason = reasonCredential
	case r.status < http.StatusInternalServerError && r.status != http.StatusTooManyRequests:
		r.status = http.StatusServiceUnavailable
	}
	return r
}

// write answers with the refusal. retryAfter is for those that pass by themselves.
func (r *handshakeRefusal) write(w http.ResponseWriter, retryAfter time.Duration) {
	p := problem.New(r.err, r.status)
	if p.Retryable {
		p = p.After(retryAfter)
	}
	p.Write(w)
}

// credentialInQuery returns the name of a query parameter that is made to carry
// credentials, or "".
func credentialInQuery(u *url.URL) string {
	for name := range u.Query() {
		switch strings.ToLower(name) {
		case "token", "access_token", "ticket":
			return strings.ToLower(name)
		}
	}
	return ""
}
