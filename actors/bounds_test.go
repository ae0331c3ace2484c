package actors

import (
	"fmt"
	"testing"
	"testing/synctest"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// While a trip cannot answer, a person who reconnects and sends more commands is refused beyond a
// bound; the pending ones are answered in the end.
func TestPendingCommandsAreBounded(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("rob")
		trip := r.request().GetTrip().GetId()
		release := make(chan struct{})
		w.store.failing(func(ride.Transition) (error, bool) {
			<-release
			return nil, false
		})
		for n := range maxPending + 10 {
			if n%50 == 49 {
				r.connect(nil) // a new session, with a new count
			}
			r.send(&ridepb.ClientFrame{Id: fmt.Sprint("c", n), Body: &ridepb.ClientFrame_CancelTrip{
				CancelTrip: &ridepb.CancelTrip{TripId: trip},
			}})
		}
		synctest.Wait()
		for n := range maxPending + 10 {
			id := fmt.Sprint("c", n)
			if n < maxPending {
				require.Empty(t, r.box.repliesTo(id), id)
				continue
			}
			refused := r.box.reply(id).GetError()
			require.Equal(t, ride.ErrTooMany.Code, refused.GetCode(), id)
			require.True(t, refused.GetRetryable())
		}
		close(release)
		synctest.Wait()
		require.NotNil(t, r.box.reply(fmt.Sprint("c", maxPending-1)), "answered in the end")
		require.NotEqual(t, ride.ErrTooMany.Code, r.cancel(trip).GetError().GetCode(), "room again")
	})
}

func TestQuotesUnderWayAreBounded(t *testing.T) {
	r := newRider(&shared{cfg: DefaultConfig()}, ride.Account{ID: "rob", Role: ride.RoleRider}, 1)
	box, inbox := &counter{}, &Inbox{}
	r.out, r.session = box, inbox
	for id := range uint64(maxQuotes) {
		r.quotes[id] = &pendingQuote{}
	}
	r.quote(nil, framed{inbox: inbox, frame: &ridepb.ClientFrame{Id: "q"}}, &ridepb.GetQuote{Pickup: view.Point(pickup), Dropoff: view.Point(dropoff)})
	require.EqualValues(t, 1, box.replies.Load(), "refused at once, without a search")
	require.Len(t, r.quotes, maxQuotes)
}

// When the store cannot keep up, recorded positions that do not fit the queue are dropped and
// counted; no actor waits for them.
func TestBreadcrumbsAreBounded(t *testing.T) {
	s := newStats()
	b := newBreadcrumbs(DefaultConfig(), nil, s)
	for range crumbQueue + 5 {
		b.add(ride.Breadcrumb{})
	}
	require.Len(t, b.queue, crumbQueue)
	var counted dto.Metric
	require.NoError(t, s.crumbs.WithLabelValues(crumbDropped).Write(&counted))
	require.EqualValues(t, 5, counted.GetCounter().GetValue())
}
