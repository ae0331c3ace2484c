package ws

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	gobwas "github.com/gobwas/ws"
)

// Upgrader makes connections of HTTP requests. It may be shared and must not
// change after its first use. The HTTP server bounds the time and the size of
// the handshake: see [Harden].
type Upgrader struct {
	// Subprotocols are those served, the preferred one first. A client that
	// offers none of them is refused with 400. Empty: none is negotiated.
	Subprotocols []string
	// Origins are the web pages that may connect, beside those of the same host:
	// exact origins such as "https://app.example.com". Requests without an Origin
	// header do not come from a web page, and pass.
	Origins []string
	// Conn is for the connections made. It must be valid.
	Conn Config
}

// Upgrade answers the opening handshake and returns the connection. On an error
// it has answered the request already, and the error is for the log. Nothing of
// the request is needed by the connection: the HTTP handler should start
// [Conn.Serve] on a new goroutine and return.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	if !u.originAllowed(r) {
		return nil, refuse(w, http.StatusForbidden, "This origin may not connect.")
	}
	protocol := u.choose(r.Header)
	if protocol == "" && len(u.Subprotocols) > 0 {
		return nil, refuse(w, http.StatusBadRequest,
			"Sec-WebSocket-Protocol must offer one of: "+strings.Join(u.Subprotocols, ", ")+".")
	}
	handshake := gobwas.HTTPUpgrader{Timeout: HandshakeTimeout}
	if protocol != "" {
		handshake.Protocol = func(p string) bool { return p == protocol }
	}
	stream, rw, hs, err := handshake.Upgrade(r, w)
	if err != nil {
		if stream != nil {
			_ = stream.Close() // already failing
		}
		return nil, fmt.Errorf("websocket handshake: %w", err)
	}
	c := NewConn(stream, u.Conn)
	c.protocol = hs.Protocol
	if n := rw.Reader.Buffered(); n > 0 {
		peeked, _ := rw.Reader.Peek(n) // cannot fail: they are buffered
		c.early = slices.Clone(peeked)
	}
	return c, nil
}

func refuse(w http.ResponseWriter, status int, sentence string) error {
	http.Error(w, sentence, status)
	return fmt.Errorf("websocket handshake: refused with %d: %s", status, sentence)
}

// choose returns our most preferred subprotocol of those that the client offers.
func (u *Upgrader) choose(h http.Header) string {
	var offered []string
	for _, line := range h.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			offered = append(offered, strings.TrimSpace(name))
		}
	}
	for _, name := range u.Subprotocols {
		if slices.Contains(offered, name) {
			return name
		}
	}
	return ""
}

// originAllowed applies the allow-list. Browsers send Origin with every
// handshake and scripts cannot forge it, so this is what keeps a foreign page
// from connecting in its visitor's name.
func (u *Upgrader) originAllowed(r *http.Request) bool {
	headers := r.Header.Values("Origin")
	if len(headers) == 0 {
		return true
	}
	if len(headers) > 1 {
		return false
	}
	origin := headers[0]
	for _, allowed := range u.Origins {
		if strings.EqualFold(strings.TrimSuffix(allowed, "/"), origin) {
			return true
		}
	}
	at, err := url.Parse(origin)
	if err != nil || at.Host == "" {
		return false // also "null", which sandboxed pages send
	}
	return strings.EqualFold(withoutDefaultPort(at.Host, at.Scheme), withoutDefaultPort(r.Host, at.Scheme))
}

func withoutDefaultPort(host, scheme string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}
