package api

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// Problem is an error answer, RFC 9457, with our stable code.
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

// TransformSchema lists the codes.
func (Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, e := range ride.Errors() {
		s.Properties["code"].Enum = append(s.Properties["code"].Enum, e.Code)
	}
	return s
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

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

// problemOf shows an error to a client. What is no refusal of ours shows nothing but
// that something failed.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var re *ride.Error
	switch {
	case errors.As(err, &re):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		re = ride.ErrUnavailable
	default:
		re = ride.ErrInternal
	}
	p = newProblem(re, statuses[re.Code])
	var soon *auth.TooSoonError
	if errors.As(err, &soon) {
		p.retryAfter = soon.RetryAfter
	} else if re.Retryable {
		p.retryAfter = time.Second
	}
	return p
}

func newProblem(e *ride.Error, status int) *Problem {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	p := &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Code: e.Code, Detail: e.Message, Retryable: e.Retryable,
	}
	if e.Field != "" {
		p.Fields = []FieldError{{Field: e.Field, Detail: e.Message}}
	}
	return p
}

// write answers with the problem outside of huma.
func (p *Problem) write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil {
		// Strings and numbers always have a form, unless they are not UTF-8.
		b = []byte(`{"type":"about:blank","status":500,"code":"internal"}`)
	}
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the client may be gone
}

// fail turns an operation's error into its problem, and logs what clients do not see.
func (a *API) fail(ctx context.Context, op string, err error) error {
	p := problemOf(err)
	if p.Status >= 500 {
		a.deps.Log.LogAttrs(ctx, slog.LevelError, "request failed",
			slog.String("operation", op), slog.String("request_id", requestID(ctx)), slog.String("error", err.Error()))
	}
	return p
}

// transform replaces huma's own error model, which would echo what was sent.
func transform(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := ride.ErrInternal
	switch {
	case m.Status == http.StatusUnprocessableEntity:
		e = ride.ErrInvalidArgument
	case m.Status == http.StatusRequestTimeout:
		e = ride.ErrMalformed.With("The body did not arrive in time.")
	case m.Status == http.StatusRequestEntityTooLarge:
		e = ride.ErrMalformed.With("The body is too large.")
	case m.Status == http.StatusUnsupportedMediaType:
		e = ride.ErrMalformed.With("The body's content type is not one that is read here.")
	case m.Status >= 400 && m.Status < 500:
		e = ride.ErrMalformed.With("The request could not be read.")
	}
	p := newProblem(e, m.Status)
	for _, d := range m.Errors {
		if d != nil && len(p.Fields) < 32 {
			p.Fields = append(p.Fields, FieldError{Field: fieldPath(d.Location), Detail: d.Message})
		}
	}
	return p, nil
}
