package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

const (
	// mapContentType is that of no registered format.
	mapContentType = "application/octet-stream"
	// maxDownloads bounds the maps sent at once; each takes the memory of its largest part meanwhile.
	maxDownloads = 4
	// A download gets downloadGrace, and a second for each downloadPace bytes, so that no client holds a place for long
	// by reading slowly; nor by reading nothing for exportStall, or for more than exportWithin.
	downloadGrace = 30 * time.Second
	downloadPace  = 64 << 10
)

// downloads bounds the maps that are being sent: one for each network, so that none takes all the places.
type downloads struct {
	mu sync.Mutex
	to map[string]bool
}

// enter takes a place, or says why there is none; the caller gives it back by leave, once.
func (d *downloads) enter(network string) (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.to[network]:
		return nil, ride.ErrTooMany.With("Your network is getting the map already.").After(10 * time.Second)
	case len(d.to) >= maxDownloads:
		return nil, ride.ErrUnavailable.With("Others are getting the map; try again shortly.").After(10 * time.Second)
	case d.to == nil:
		d.to = make(map[string]bool)
	}
	d.to[network] = true
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.to, network)
	}, nil
}

// streetsFile sends the map that is in use, whatever has become of its file.
func (a *API) streetsFile(ctx context.Context, in *struct {
	Known string `header:"If-None-Match" maxLength:"512" doc:"The ETag of an earlier answer; 304 without a body if it still applies."`
	Part  string `header:"Range" maxLength:"512" doc:"Which bytes to send, as in RFC 9110."`
}) (*huma.StreamResponse, error) {
	m, call := a.streets(), callOf(ctx)
	if m == nil {
		return nil, errNoStreets
	}
	tag, leave := `"`+m.ID()+`"`, func() {}
	if call.request.Method != http.MethodHead && in.Known != tag { // others get no body
		var err error
		if leave, err = a.downloads.enter(clientaddr.NetworkOf(call.addr)); err != nil {
			return nil, err
		}
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer leave()
		h := call.writer.Header()
		h.Set("Content-Type", mapContentType)
		h.Set("Content-Disposition", `attachment; filename="streets-`+m.ID()+`.hxst"`)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache")
		w := &pacedWriter{ResponseWriter: call.writer, control: http.NewResponseController(call.writer), ctx: ctx, end: time.Now().Add(downloadGrace)}
		defer w.done()
		http.ServeContent(w, call.request, "", time.Time{}, m.Content())
	}}, nil
}

// pacedWriter sends a body to a client that keeps pace, and otherwise aborts the request.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context // a download lives as long as its request
	end     time.Time       // by when the client must have taken what was sent
}

// Write implements io.Writer.
func (w *pacedWriter) Write(b []byte) (int, error) {
	w.end = w.end.Add(time.Duration(len(b)) * time.Second / downloadPace)
	deadline := time.Now().Add(exportStall)
	if w.end.Before(deadline) {
		deadline = w.end
	}
	_ = w.control.SetWriteDeadline(deadline) // a writer without deadlines is one of a test
	if w.ctx.Err() != nil {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	n, err := w.ResponseWriter.Write(b)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// done keeps the connection open for other requests.
func (w *pacedWriter) done() { _ = w.control.SetWriteDeadline(time.Time{}) }

func describeFile(get *huma.Operation) {
	header := func(doc string) *huma.Header {
		return &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	get.Responses["200"] = &huma.Response{
		Description: "The file, or with 206 the part of it that Range names.",
		Headers:     map[string]*huma.Header{"Content-Disposition": header("Names the file."), "ETag": header("Identifies the map.")},
		Content:     map[string]*huma.MediaType{mapContentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
}
