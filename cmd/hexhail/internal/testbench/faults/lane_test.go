package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// lane is a separate place with riders and drivers who race repeatedly.
type lane struct {
	s               *harness.Server
	riders, drivers []*party
	operator        string // a token
	records         map[string]record
	count           counts
}

// record is the result of one trip's race as the sockets saw it, to be compared with the database.
type record struct {
	winner string // account; empty: none
	status ridepb.Trip_Status
}

// counts says what happened, so that a run without races cannot pass.
type counts struct {
	races, offers, lost, won, cancelledFirst, acceptedFirst, checkedHTTP int
}

func (c *counts) add(o counts) {
	c.races += o.races
	c.offers += o.offers
	c.lost += o.lost
	c.won += o.won
	c.cancelledFirst += o.cancelledFirst
	c.acceptedFirst += o.acceptedFirst
	c.checkedHTTP += o.checkedHTTP
}

// newLane connects the n-th lane; lanes take turns in their encoding.
func newLane(tb testing.TB, s *harness.Server, n, riders, drivers int, operator string) *lane {
	tb.Helper()
	l := &lane{s: s, operator: operator, records: make(map[string]record)}
	codec := []wire.Codec{wire.Binary, wire.JSON}[n%2]
	join := func(role ride.Role, i int) *party {
		name := fmt.Sprintf("%s%d-%d", role, n, i)
		c, hello := harness.Connect(tb, s, codec, s.Token(role, name), nil)
		c.Name = name
		p := &party{Client: c, account: hello.GetAccountId(), at: around(spot(n), i)}
		if role == ride.RoleDriver {
			p.told = newTold(p.account, hello.GetSeq())
			p.Online(p.at)
			p.fixed = time.Now()
		} else {
			p.told = newTold("", hello.GetSeq())
		}
		return p
	}
	for i := range drivers {
		l.drivers = append(l.drivers, join(ride.RoleDriver, i))
	}
	for i := range riders {
		l.riders = append(l.riders, join(ride.RoleRider, i))
	}
	return l
}

// parties returns everyone in a lane.
func (l *lane) parties() []*party { return append(append([]*party(nil), l.drivers...), l.riders...) }

// request makes a rider's trip and returns it with the offer that each driver got.
func (l *lane) request(r *party) (trip string, offers []string, err error) {
	for _, d := range l.drivers {
		d.freshen()
	}
	reply, err := r.once(harness.Request(r.at, geo.Destination(r.at, 45, 3000)))
	if err != nil {
		return "", nil, err
	}
	if trip = reply.GetTrip().GetId(); trip == "" {
		return "", nil, fmt.Errorf("%s: the request was refused: %v", r.Name, reply)
	}
	for _, d := range l.drivers {
		o, err := d.offer(trip)
		if err != nil {
			return "", nil, err
		}
		offers = append(offers, o)
	}
	l.count.offers += len(offers)
	return trip, offers, nil
}

// atOnce runs functions that start at the same moment.
func atOnce(starts ...func()) {
	gun := make(chan struct{})
	var wg, ready sync.WaitGroup
	for _, f := range starts {
		ready.Add(1)
		wg.Go(func() {
			ready.Done()
			<-gun
			f()
		})
	}
	ready.Wait()
	close(gun)
	wg.Wait()
}

// judge reads the answers of drivers who accepted a trip. It returns the winner's account, and
// checks that every offer ended once, in line with its answer.
func (l *lane) judge(trip string, accepts []*ridepb.ClientFrame) (winner string, err error) {
	for i, d := range l.drivers {
		reply, err := d.answer(accepts[i])
		if err != nil {
			return "", err
		}
		outcome, err := d.end(accepts[i].GetAcceptOffer().GetOfferId())
		if err != nil {
			return "", err
		}
		won := reply.GetTrip().GetStatus() == ridepb.Trip_matched && reply.GetTrip().GetId() == trip
		code := reply.GetError().GetCode()
		lost := code == ride.ErrOfferTaken.Code || code == ride.ErrOfferClosed.Code || code == ride.ErrDriverBusy.Code
		switch {
		case won && outcome == ridepb.OfferClosed_won && winner == "":
			winner = d.account
			l.count.won++
		case lost && outcome == ridepb.OfferClosed_withdrawn:
			l.count.lost++
		default:
			return "", fmt.Errorf("%s: trip %s: answered %v, ended %s, winner so far %q", d.Name, trip, reply, outcome, winner)
		}
	}
	return winner, nil
}

// free ends a matched trip, so that all can race again.
func (l *lane) free(r *party, trip, winner string) error {
	if err := l.cancel(r, trip); err != nil {
		return err
	}
	return l.heard(r, trip, winner)
}

// cancel sends three copies of a trip's cancellation.
func (l *lane) cancel(r *party, trip string) error {
	f := r.command(harness.Cancel(trip))
	r.thrice(f)
	reply, err := r.answer(f)
	if err == nil && reply.GetTrip().GetStatus() != ridepb.Trip_cancelled {
		err = fmt.Errorf("%s: the cancel of %s was answered with %v", r.Name, trip, reply)
	}
	return err
}

// heard waits until rider and winner have received the cancellation, and records the outcome.
func (l *lane) heard(r *party, trip, winner string) error {
	l.records[trip] = record{winner, ridepb.Trip_cancelled}
	if _, err := r.status(trip, ridepb.Trip_cancelled); err != nil {
		return err
	}
	for _, d := range l.drivers {
		if d.account == winner {
			if _, err := d.status(trip, ridepb.Trip_cancelled); err != nil {
				return err
			}
		}
	}
	return nil
}

// endRace ends a race for all parties.
func (l *lane) endRace() {
	for _, p := range l.parties() {
		p.endRace()
	}
	l.count.races++
}

// ask compares a trip over HTTP with what the sockets received: for its rider, the winner, the
// losers and operators.
func (l *lane) ask(r *party, trip, winner string, status ridepb.Trip_Status) error {
	l.count.checkedHTTP++
	see := func(path, token string) (code int, t struct {
		Trip struct {
			Status string
			Driver struct{ ID string }
		}
		Events []struct{ Kind string }
	}, err error) {
		code, text := l.s.Call(http.MethodGet, path+trip, token, "")
		if code == http.StatusOK {
			err = json.Unmarshal([]byte(text), &t)
		}
		return code, t, err
	}
	wrong := func(who string, got any) error {
		return fmt.Errorf("GET trip %s as %s: %+v, but winner %q and status %s", trip, who, got, winner, status)
	}
	for path, token := range map[string]string{
		"/v1/trips/": l.s.Token(ride.RoleRider, r.Name), "/v1/admin/trips/": l.operator,
	} {
		code, t, err := see(path, token)
		if err != nil || code != http.StatusOK || t.Trip.Status != status.String() || t.Trip.Driver.ID != winner {
			return wrong(path, t)
		}
		matches := 0
		for _, e := range t.Events {
			if e.Kind == ride.KindMatched {
				matches++
			}
		}
		if (matches == 1) != (winner != "") || matches > 1 {
			return wrong(path, t)
		}
	}
	for _, d := range l.drivers {
		code, t, err := see("/v1/trips/", l.s.Token(ride.RoleDriver, d.Name))
		if err != nil {
			return err
		}
		if d.account == winner && (code != http.StatusOK || t.Trip.Status != status.String()) ||
			d.account != winner && code != http.StatusNotFound {
			return wrong(d.Name, code)
		}
	}
	return nil
}
