package ws

import (
	"cmp"
	"net/http"
	"time"
)

// The bounds that [Harden] sets. HandshakeTimeout also bounds the writing of the handshake's answer.
const (
	HandshakeTimeout = 5 * time.Second
	MaxHeaderBytes   = 16 << 10
	MaxHeaders       = 100
)

// Harden sets what keeps strangers from holding a server's memory and
// connections with requests that never end: it fills ReadHeaderTimeout,
// IdleTimeout and MaxHeaderBytes where they are zero, and wraps the handler with
// [LimitHeaders] and [LimitHeaderBytes]. Call it once, when the handler is set. It leaves ReadTimeout
// and WriteTimeout alone; sockets have their own deadlines.
func Harden(s *http.Server) {
	s.ReadHeaderTimeout = cmp.Or(s.ReadHeaderTimeout, HandshakeTimeout)
	s.IdleTimeout = cmp.Or(s.IdleTimeout, 60*time.Second)
	s.MaxHeaderBytes = cmp.Or(s.MaxHeaderBytes, MaxHeaderBytes)
	next := s.Handler
	if next == nil {
		next = http.DefaultServeMux
	}
	s.Handler = LimitHeaders(MaxHeaders, LimitHeaderBytes(s.MaxHeaderBytes, next))
}

// LimitHeaderBytes refuses requests whose first line and header lines have more than most bytes
// together with 431. The server itself reads up to 4 KiB more than its MaxHeaderBytes.
func LimitHeaderBytes(most int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headerBytes(r) > most {
			tooLarge(w, "The header fields are too large.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headerBytes is the size of a request up to its body, as it is written without needless spaces.
func headerBytes(r *http.Request) int {
	const lineEnd, separator = len("\r\n"), len(": ")
	n := len(r.Method) + len(" ") + len(r.RequestURI) + len(" ") + len(r.Proto) + lineEnd + lineEnd
	if r.Host != "" {
		n += len("Host") + separator + len(r.Host) + lineEnd
	}
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + separator + len(v) + lineEnd
		}
	}
	return n
}

func tooLarge(w http.ResponseWriter, sentence string) {
	w.Header().Set("Connection", "close")
	http.Error(w, sentence, http.StatusRequestHeaderFieldsTooLarge)
}

// LimitHeaders refuses requests with more than most header lines with 431.
func LimitHeaders(most int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := 0
		for _, values := range r.Header {
			lines += len(values)
		}
		if lines > most {
			tooLarge(w, "Too many header fields.")
			return
		}
		next.ServeHTTP(w, r)
	})
}
