package web

import (
	"net/url"
	"slices"
	"strings"
)

// Policy says which hosts the pages may contact besides the server that they came from. The
// zero value allows none.
type Policy struct {
	// Sources are http(s) URLs from which maps and addresses come; each stands for its
	// whole origin.
	Sources []string
	// PublicURL is how browsers reach this server, if known: some of them need the
	// socket's origin spelt out.
	PublicURL string
}

// headers are sent with every answer.
//
// Scripts come from this server alone: none inline, none evaluated. Styles may be inline,
// because Mantine writes the theme's variables and responsive properties into style
// elements while it renders, and MapLibre places markers by style attributes; a nonce would
// need a page rendered for each visit, which could neither be cached nor work offline.
// Inline styles cannot run code, and connect-src leaves them nowhere to send anything.
func (p Policy) headers() map[string]string {
	from := origins(p.Sources)
	connect := append([]string{"'self'"}, from...)
	if u, err := url.Parse(p.PublicURL); err == nil && u.Host != "" {
		connect = append(connect, strings.Replace(u.Scheme, "http", "ws", 1)+"://"+u.Host)
	}
	directives := []string{
		"default-src 'self'",
		"script-src 'self'",
		"style-src 'self' 'unsafe-inline'",
		"img-src " + strings.Join(append([]string{"'self'", "data:", "blob:"}, from...), " "),
		"connect-src " + strings.Join(connect, " "),
		"worker-src 'self'",
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}
	return map[string]string{
		"Content-Security-Policy":      strings.Join(directives, "; "),
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "strict-origin-when-cross-origin", // some tile servers ask for the origin
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "geolocation=(self), screen-wake-lock=(self), accelerometer=(), browsing-topics=(), camera=(), " +
			"display-capture=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
	}
}

// origins reduces URLs to their origins, each once. What is no http(s) URL allows nothing.
func origins(urls []string) []string {
	var out []string
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || !plainHost(u.Host) {
			continue
		}
		if o := u.Scheme + "://" + u.Host; !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// plainHost keeps what could end a directive, or widen it, out of the policy.
func plainHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(".-:[]", r)
	})
}
