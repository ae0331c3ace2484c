package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/problem"
)

// describeProblem adds the schema of a problem to the document, with the codes there are.
func (a *API) describeProblem() {
	a.problemSchema = a.schemas().Schema(reflect.TypeFor[problem.Problem](), true, "Problem")
	code := a.schemas().SchemaFromRef(a.problemSchema.Ref).Properties["code"]
	for _, e := range ride.Errors() {
		code.Enum = append(code.Enum, e.Code)
	}
}

// fail turns an operation's error into its problem, and logs what clients do not see.
func (a *API) fail(ctx context.Context, op string, err error) *problem.Problem {
	p := problem.Of(err)
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
		e = ride.ErrMalformed.With("The body's content type is not supported here.")
	case m.Status >= 400 && m.Status < 500:
		e = ride.ErrMalformed.With("The request could not be read.")
	}
	p := problem.New(e, m.Status)
	for _, d := range m.Errors {
		if d != nil {
			p.AddField(fieldPath(d.Location), d.Message)
		}
	}
	return p, nil
}
