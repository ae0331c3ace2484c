package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
)

const (
	// exportWithin bounds one export, and exportStall how long its reader may take no byte.
	exportWithin = 10 * time.Minute
	exportStall  = 30 * time.Second
	// maxExports bounds the exports written at once for operators, and for everyone else.
	maxExports = 4
)

// exports bounds the exports under way: one per account, so that no account takes all the places.
type exports struct {
	mu sync.Mutex
	of map[ride.AccountID]bool
}

// enter takes a place, or says why there is none; the caller gives it back by leave, once.
func (e *exports) enter(id ride.AccountID) (leave func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.of[id]:
		return nil, ride.ErrTooMany.With("An export of this account is being written already.")
	case len(e.of) >= maxExports:
		return nil, ride.ErrUnavailable.With("Too many exports are being written; try again shortly.")
	case e.of == nil:
		e.of = make(map[ride.AccountID]bool)
	}
	e.of[id] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.of, id)
	}, nil
}

// enterExport takes a place for an account. Operators have places of their own: anyone can sign up,
// so strangers could hold all the others.
func (a *API) enterExport(me ride.Account) (leave func(), err error) {
	if me.Role == ride.RoleOperator {
		return a.operatorExports.enter(me.ID)
	}
	return a.exports.enter(me.ID)
}

// exportTo returns how to write an export, and what to call at its end. A client that is gone or
// stalls aborts the request.
func exportTo(ctx context.Context, out huma.Context) (write func([]byte), done func()) {
	control := http.NewResponseController(callOf(ctx).writer)
	write = func(b []byte) {
		// A writer without deadlines is one of a test.
		_ = control.SetWriteDeadline(time.Now().Add(exportStall))
		if _, err := out.BodyWriter().Write(b); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	return write, func() { _ = control.SetWriteDeadline(time.Time{}) } // the connection stays open
}
