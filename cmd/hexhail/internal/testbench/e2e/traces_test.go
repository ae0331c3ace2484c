package e2e

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// A server with a collector exports each ride as one trace: what its clients asked for, what became of
// it, and nothing that names a person or a place.
func TestARideIsATrace(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	spans := map[string]int{}
	traces := map[string]bool{}
	attributes := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		var request collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(b, &request) != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range request.GetResourceSpans() {
			for _, in := range of.GetScopeSpans() {
				for _, span := range in.GetSpans() {
					spans[span.GetName()]++
					traces[hex.EncodeToString(span.GetTraceId())] = true
					for _, a := range span.GetAttributes() {
						attributes[a.GetKey()] = true
					}
				}
			}
		}
	}))
	defer s.Close()
	server := harness.Start(t, harness.Options{Flags: []string{"--traces-url=" + s.URL}})
	w := newWorld(t, server, wire.Binary)
	rider, driver := w.rider(), w.driver(100)
	trip := w.match(rider, driver)
	w.drive(driver, trip.GetId(), ridepb.Trip_completed)
	refused(t, ride.ErrWrongStatus, driver.Ask(harness.StartTrip(trip.GetId(), "")))
	require.NoError(t, server.Stop(), "a stop exports what is left")

	mu.Lock()
	defer mu.Unlock()
	require.Len(t, traces, 1)
	for _, name := range []string{"trip", "search", "pickup", "boarding", "ride", "offer", "request_trip", "accept_offer", "arrived", "complete_trip"} {
		require.Equal(t, 1, spans[name], "%s in %v", name, spans)
	}
	require.Equal(t, 2, spans["start_trip"], "the refused one is recorded as well")
	require.GreaterOrEqual(t, spans["commit"], 5)
	for key := range attributes {
		require.Contains(t, []string{
			"hexhail.trip", "hexhail.status", "hexhail.class", "hexhail.waves", "hexhail.offers", "hexhail.released", "hexhail.offer", "hexhail.wave",
			"hexhail.offer.state", "hexhail.offer.eta_seconds", "hexhail.events", "hexhail.version", "hexhail.role", "hexhail.encoding",
		}, key)
	}
}
