package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	keysPath     = "/.well-known/jwks.json"    // RFC 7517
	securityPath = "/.well-known/security.txt" // RFC 9116

	// keysFor is how long others may keep the keys: shorter than an access token lives, so that they know
	// a new key before its first token matters.
	keysFor = 5 * time.Minute
	// securityFor is how long the security contact counts after it was read; at most a year is usual.
	securityFor = 180 * 24 * time.Hour
)

// wellKnown serves the paths that other programs know: the keys that access tokens can be checked with,
// and whom to tell about a vulnerability, if that is configured.
func (p *parts) wellKnown(mux *http.ServeMux) error {
	keys, err := p.keys.PublicSet()
	if err != nil {
		return err
	}
	mux.Handle(keysPath, fixed("application/jwk-set+json", keysFor, func() string { return string(keys) }))
	if p.cfg.HTTP.SecurityContact != "" {
		mux.Handle(securityPath, fixed("text/plain; charset=utf-8", time.Hour, func() string { return p.securityText(time.Now()) }))
	}
	return nil
}

// securityText is security.txt at a time.
func (p *parts) securityText(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Contact: %s\n", p.cfg.HTTP.SecurityContact)
	fmt.Fprintf(&b, "Expires: %s\n", now.UTC().Add(securityFor).Truncate(24*time.Hour).Format(time.RFC3339))
	if u, err := url.Parse(p.cfg.HTTP.PublicURL); err == nil && u.Host != "" { // the file is at the root, the app need not be
		fmt.Fprintf(&b, "Canonical: %s://%s%s\n", u.Scheme, u.Host, securityPath)
	}
	return b.String()
}

// fixed serves a public text that is the same for everyone, and that any page may read.
func fixed(kind string, keep time.Duration, text func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keep.Seconds())))
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(text())) // if this fails, the client is gone
		}
	})
}
