package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Under an immediate policy, a trip's first search comes before its first transaction, so that one
// transaction holds the request and the first wave: drivers receive it after one disk sync, not
// two. If the node dies in between, nothing has been acknowledged. Under a policy that gathers trips this
// is so where drivers are ample and no other trip waits nearby; elsewhere the request is committed
// alone, and the wave follows.

// unsearched is a request that waits for its first search.
type unsearched struct {
	request tripCommand
	trip    ride.Trip // the state that the request creates
	rider   *actor.PID
	// clearM is the distance in metres to the nearest other open pickup, under a policy that gathers trips.
	clearM float64
}

// searchFirst starts the first search of a new trip. A request that would be refused is decided at
// once. A repeated request shares the search under way, and the reply goes to the latest sender.
func (a *tripActor) searchFirst(ctx actor.Context, m tripCommand) (begun bool) {
	request, ok := m.Command.(ride.RequestTrip)
	if !ok || m.Searched || a.trip.Version > 0 || a.doubtful {
		return false
	}
	if a.unsearched != nil {
		if m.Key.Generation < a.unsearched.request.Key.Generation {
			return true // from an actor that has been replaced
		}
		a.unsearched.request, a.unsearched.rider = m, ctx.Sender()
		return true
	}
	events, effects, err := ride.Decide(a.trip, time.Now(), request)
	if err != nil {
		return false
	}
	for _, effect := range effects {
		if wave, ok := effect.(ride.FindCandidates); ok {
			a.unsearched = &unsearched{request: m, trip: ride.Fold(a.trip, events), rider: ctx.Sender()}
			// Register as waiting before searching, so that one or the other sees a driver who
			// turns up.
			a.await(ctx, request.Request)
			if request.Rules.Policy.Immediate() {
				a.find(ctx, wave, &a.unsearched.trip, searchLimit(&a.unsearched.trip))
			} else {
				a.askFirst(ctx, wave)
			}
			return true
		}
	}
	return false
}

// ample reports whether enough drivers are nearer to a pickup's area than half the way to the nearest
// other open pickup, so that no plan would give them away.
func ample(area geo.Point, clearM float64, found []ride.Considered) bool {
	near := 0
	for _, k := range found {
		if (k.Verdict == ride.VerdictOffered || k.Verdict == ride.VerdictOverCap) && geo.DistanceM(k.Point, area) < clearM/2 {
			near++
		}
	}
	return near >= ampleDrivers
}

// requestWith hands on the request with the wave that its first search has planned.
func (a *tripActor) requestWith(ctx actor.Context, first ride.OfferWave) {
	a.unsearched.request.Also = []ride.Command{first}
	a.requestNow(ctx)
}

// requestAlone hands on the request and leaves its first wave to its matcher.
func (a *tripActor) requestAlone(ctx actor.Context) {
	a.sys.stats.matching.firstBy.WithLabelValues(firstWindow).Inc()
	a.requestNow(ctx)
}

// requestNow hands on the request. It goes through the mailbox, so that it has its sender again.
func (a *tripActor) requestNow(ctx actor.Context) {
	b := a.unsearched
	a.unsearched = nil
	b.request.Searched = true
	if b.rider == nil {
		ctx.Send(ctx.Self(), b.request)
		return
	}
	ctx.RequestWithCustomSender(ctx.Self(), b.request, b.rider)
}

// await registers the trip as waiting for a driver.
func (a *tripActor) await(ctx actor.Context, r ride.Request) {
	if cell := a.pickupCell(r.Pickup); cell != 0 {
		a.waits = cell
		a.sys.place.Await(cell, Waiter{Trip: a.id, Class: r.Class, PID: ctx.Self()})
	}
}
