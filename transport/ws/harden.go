package ws

import (
	"net/http"
	"time"
)

// The bounds that [Harden] sets.
const (
	HandshakeTimeout = 5 * time.Second
	MaxHeaderBytes   = 16 << 10
	MaxHeaders       = 100
)

// Harden sets what keeps strangers from holding a server's memory and
// connections with requests that never end: it fills ReadHeaderTimeout,
// IdleTimeout and MaxHeaderBytes where they are zero, and wraps the handler with
// [LimitHeaders]. Call it once, when the handler is set. It leaves ReadTimeout
// and WriteTimeout alone; sockets have their own deadlines.
func Harden(s *http.Server) {
	setDefault(&s.ReadHeaderTimeout, HandshakeTimeout)
	setDefault(&s.IdleTimeout, 60*time.Second)
	setDefault(&s.MaxHeaderBytes, MaxHeaderBytes)
	next := s.Handler
	if next == nil {
		next = http.DefaultServeMux
	}
	s.Handler = LimitHeaders(MaxHeaders, next)
}

// LimitHeaders refuses requests with more than most header lines with 431.
func LimitHeaders(most int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := 0
		for _, values := range r.Header {
			lines += len(values)
		}
		if lines > most {
			w.Header().Set("Connection", "close")
			http.Error(w, "Too many header fields.", http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		next.ServeHTTP(w, r)
	})
}
