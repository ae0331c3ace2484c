package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestEveryCodeHasAStatus: each registered refusal has a deliberately chosen status, and becomes a
// problem that says all of it.
func TestEveryCodeHasAStatus(t *testing.T) {
	for _, e := range ride.Errors() {
		require.NotZero(t, statuses[e.Code], e.Code)
		p := Of(fmt.Errorf("operation: %w", e.In("some.field")))
		require.Equal(t, statuses[e.Code], p.Status)
		require.Equal(t, e.Retryable, p.Retryable)
		require.Equal(t, []FieldError{{"some.field", e.Message}}, p.Fields)
		require.Equal(t, e.Retryable, p.GetHeaders().Get("Retry-After") != "", e.Code)
		require.Equal(t, p.Status == http.StatusUnauthorized, p.GetHeaders().Get("WWW-Authenticate") != "", e.Code)
	}
	require.Len(t, statuses, len(ride.Errors()), "statuses of codes that no longer exist")
}

func TestUnknownErrorsShowNothing(t *testing.T) {
	secret := errors.New("dial 10.0.0.7: password wrong")
	for _, c := range []struct {
		err   error
		want  *ride.Error
		known bool
	}{
		{secret, ride.ErrInternal, false},
		{fmt.Errorf("%w: %w", secret, ride.ErrNotFound), ride.ErrNotFound, true},
		{fmt.Errorf("%w: %w", secret, context.DeadlineExceeded), ride.ErrUnavailable, true},
		{fmt.Errorf("%w: %w", secret, context.Canceled), ride.ErrUnavailable, true},
	} {
		e, known := Refusal(c.err)
		require.Equal(t, c.want, e)
		require.Equal(t, c.known, known)
		w := httptest.NewRecorder()
		Of(c.err).Write(w)
		require.Equal(t, Status(c.want), w.Code)
		require.NotContains(t, w.Body.String(), "10.0.0.7")
	}
}

type late struct{ error }

func (late) Delay() time.Duration { return 1500 * time.Millisecond }

func TestDelaysAreWholeSeconds(t *testing.T) {
	after := func(p *Problem) string { return p.GetHeaders().Get("Retry-After") }
	require.Equal(t, "2", after(Of(late{ride.ErrTooMany})))
	require.Equal(t, "3", after(Of(ride.ErrUnavailable).After(2001*time.Millisecond)))
	require.Empty(t, after(Of(ride.ErrUnavailable).After(0)))
}

func TestFieldsAreBounded(t *testing.T) {
	p := Of(ride.ErrInvalidArgument)
	for range 2 * maxFields {
		p.AddField("f", "wrong")
	}
	require.Len(t, p.Fields, maxFields)
}

// TestWrittenForm holds the members and headers that clients read.
func TestWrittenForm(t *testing.T) {
	w := httptest.NewRecorder()
	New(ride.ErrInvalidArgument.In("token").With("Not there."), http.StatusBadRequest).Write(w)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Equal(t, ContentType, w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.JSONEq(t, `{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid_argument","detail":"Not there.",
		"retryable":false,"fields":[{"field":"token","detail":"Not there."}]}`, w.Body.String())

	w = httptest.NewRecorder()
	New(ride.ErrInvalidArgument.With("%s", "\xff"), http.StatusBadRequest).Write(w)
	require.Equal(t, http.StatusInternalServerError, w.Code, "a text that JSON cannot hold")
	var p Problem
	require.NoError(t, json.NewDecoder(strings.NewReader(w.Body.String())).Decode(&p))
	require.Equal(t, http.StatusInternalServerError, p.Status)
	require.Equal(t, ride.ErrInternal.Code, p.Code)
}
