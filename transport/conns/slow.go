package conns

import (
	"net/http"
	"time"
)

// Stall cuts off clients that take no bytes of an answer for so long. Each write has a deadline of
// its own, so that a long answer to a slow but steady reader is not cut.
func Stall(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &stalling{ResponseWriter: w, control: http.NewResponseController(w), within: within}
		s.extend() // also for what is written after the handler
		next.ServeHTTP(s, r)
		s.extend()
	})
}

type stalling struct {
	http.ResponseWriter
	control *http.ResponseController
	within  time.Duration
}

// extend sets the next deadline; a writer that has none, as in tests, needs none.
func (s *stalling) extend() { _ = s.control.SetWriteDeadline(time.Now().Add(s.within)) }

func (s *stalling) WriteHeader(status int) {
	s.extend()
	s.ResponseWriter.WriteHeader(status)
}

func (s *stalling) Write(b []byte) (int, error) {
	const most = 32 << 10 // so that a large answer is many writes
	written := 0
	for {
		s.extend()
		n, err := s.ResponseWriter.Write(b[:min(most, len(b))])
		written += n
		if b = b[n:]; err != nil || len(b) == 0 {
			return written, err
		}
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (s *stalling) Unwrap() http.ResponseWriter { return s.ResponseWriter }
