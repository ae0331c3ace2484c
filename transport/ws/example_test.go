package ws_test

import (
	"log/slog"
	"net/http"

	"github.com/hexhail/hexhail/transport/ws"
)

// shout answers in the form in which it was asked.
type shout struct{ conn *ws.Conn }

func (s shout) OnMessage(op ws.Op, payload []byte) {
	answer := append([]byte("heard: "), payload...) // the payload is ours only during the call
	if err := s.conn.Send(op, answer); err != nil {
		slog.Debug("answer not sent", "error", err)
	}
}

func ExampleUpgrader() {
	counters := new(ws.Counters)
	config := ws.DefaultConfig()
	config.SlowCode, config.Observer = 4001, counters
	upgrader := &ws.Upgrader{
		Subprotocols: []string{"example.v1"},
		Origins:      []string{"https://app.example.com"},
		Conn:         config,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r)
		if err != nil {
			slog.Info("socket refused", "error", err)
			return
		}
		go func() { // so that net/http can let go of the request
			end := conn.Serve(shout{conn})
			slog.Info("socket closed", "by", end.By, "code", end.Code, "error", end.Err)
		}()
	})
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: mux}
	ws.Harden(server)
	_ = server // ListenAndServe
	// Output:
}
