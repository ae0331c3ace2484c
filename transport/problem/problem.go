// Package problem writes the refusals that clients get over HTTP, as problem details of
// RFC 9457 with a stable code. It is the only writer of application/problem+json: the HTTP
// API and the socket's handshake share it, so that every refusal has the same members and
// the same headers.
package problem

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/hexhail/hexhail/ride"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Problem is an error answer. The goroutine that made it owns it until it is written.
type Problem struct {
	Type      string       `json:"type" doc:"Always about:blank; branch on code." example:"about:blank"`
	Title     string       `json:"title" doc:"The status in words." example:"Not Found"`
	Status    int          `json:"status" doc:"The HTTP status." example:"404"`
	Code      string       `json:"code" doc:"Stable, for programs to branch on." example:"not_found"`
	Detail    string       `json:"detail" doc:"A sentence for people."`
	Retryable bool         `json:"retryable" doc:"Whether the same request may succeed later, unchanged."`
	Fields    []FieldError `json:"fields,omitempty" maxItems:"32" doc:"The fields at fault, where known."`

	retryAfter time.Duration
}

// FieldError is one field at fault.
type FieldError struct {
	Field  string `json:"field" doc:"The field's path, such as first_name."`
	Detail string `json:"detail" doc:"What is wrong with it."`
}

// maxFields bounds Problem.Fields, as its tag says.
const maxFields = 32

// statuses gives each code its HTTP status.
var statuses = map[string]int{
	"malformed": 400, "id_required": 400, "not_connected": 409, "already_connected": 409,
	"invalid_argument": 422, "invalid_point": 422, "unknown_vehicle_class": 422, "no_route": 422,
	"unauthenticated": 401, "wrong_role": 403, "suspended": 403, "approval_pending": 403, "approval_refused": 403, "fresh_login_required": 403, "trip_active": 409, "not_found": 404,
	"id_reused": 409, "username_taken": 409, "rider_busy": 409, "driver_busy": 409, "offer_closed": 409,
	"offer_taken": 409, "wrong_status": 409, "wrong_pin": 409, "pin_required": 409, "already_rated": 409,
	"too_far": 409, "position_unknown": 409, "pin_locked": 429, "too_many_requests": 429,
	"internal": 500, "unavailable": 503, "shutting_down": 503,
}

// Status is the HTTP status of a refusal, 500 for an unknown code.
func Status(e *ride.Error) int {
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Refusal is what a client may know of an error: the *ride.Error that it wraps,
// ride.ErrUnavailable when a deadline passed or the request was cancelled, and otherwise
// ride.ErrInternal. known is false only for the last, which belongs in the log.
func Refusal(err error) (e *ride.Error, known bool) {
	switch {
	case errors.As(err, &e):
		return e, true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ride.ErrUnavailable, true
	}
	return ride.ErrInternal, false
}

// delayed is an error that says when to try again, such as *auth.TooSoonError.
type delayed interface {
	error
	Delay() time.Duration
}

// Of returns the problem that err wraps, or makes one of its Refusal.
func Of(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	e, _ := Refusal(err)
	p = New(e, Status(e))
	var d delayed
	if errors.As(err, &d) {
		return p.After(d.Delay())
	}
	return p
}

// New makes a problem with a status other than the usual one of its code. Clients may
// repeat a retryable one after a second; After sets another delay.
func New(e *ride.Error, status int) *Problem {
	p := &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Code: e.Code, Detail: e.Message, Retryable: e.Retryable,
	}
	if e.Field != "" {
		p.AddField(e.Field, e.Message)
	}
	if e.Retryable {
		p.retryAfter = time.Second
	}
	return p
}

// After sets Retry-After, rounded up to whole seconds, and returns the problem.
func (p *Problem) After(d time.Duration) *Problem {
	p.retryAfter = d
	return p
}

// AddField names a field at fault; fields past the bound are left out.
func (p *Problem) AddField(field, detail string) {
	if len(p.Fields) < maxFields {
		p.Fields = append(p.Fields, FieldError{Field: field, Detail: detail})
	}
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return ContentType }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="hexhail"`)
	}
	return h
}

// Write answers with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil {
		// Only a text that is not UTF-8 cannot be written, and that would be the detail.
		b = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal",` +
			`"detail":"Something went wrong on our side.","retryable":true}`)
		p.Status = http.StatusInternalServerError
	}
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the client may be gone
}
