package session

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
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

// problem is a refusal in HTTP, as RFC 9457 writes it.
type problem struct {
	reason string // for the metrics
	status int
	err    *ride.Error
}

var (
	problemDraining    = &problem{reasonDraining, http.StatusServiceUnavailable, ride.ErrShuttingDown}
	problemFull        = &problem{reasonFull, http.StatusServiceUnavailable, ride.ErrUnavailable.With("This server has no room for another socket.")}
	problemAddressFull = &problem{reasonAddressFull, http.StatusServiceUnavailable, ride.ErrTooMany.With("Too many sockets from this address.")}
)

func queryCredential(name string) *problem {
	return &problem{reasonQueryCredential, http.StatusBadRequest, ride.ErrInvalidArgument.With(
		"Credentials do not belong into a URL, where they end up in logs: use the Authorization header or the connect message.").In(name)}
}

// credentialProblem says over HTTP that the Authorization header does not count.
func credentialProblem(err *ride.Error) *problem {
	p := &problem{reasonCredential, http.StatusUnauthorized, err}
	switch err.Code {
	case ride.ErrUnauthenticated.Code:
	case ride.ErrSuspended.Code:
		p.status = http.StatusForbidden
	case ride.ErrInternal.Code:
		p.reason, p.status = reasonUnavailable, http.StatusInternalServerError
	default:
		p.reason, p.status = reasonUnavailable, http.StatusServiceUnavailable
	}
	return p
}

func (p *problem) write(w http.ResponseWriter, retryAfter time.Duration) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
		Field  string `json:"field,omitempty"`
	}{"about:blank", http.StatusText(p.status), p.status, p.err.Message, p.err.Code, p.err.Field})
	if err != nil { // strings and an int always marshal
		http.Error(w, p.err.Message, p.status)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "application/problem+json")
	head.Set("Cache-Control", "no-store")
	switch p.status {
	case http.StatusUnauthorized:
		head.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		head.Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the client is gone if this fails
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
