package actors

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
)

// The bounds of what another node hands over. A history has those of MaxHistory, and a driver holds
// no more offers than Config permits.
const (
	maxHandedOffers = 64
	maxHandedText   = 256 // bytes of an epoch, or of a command's id
)

func frameTakenOver(m takenOver) *nodepb.TakenOver {
	out := &nodepb.TakenOver{Account: string(m.Account), Generation: m.Generation}
	h := m.Handover
	if h == nil {
		return out
	}
	out.Handover = &nodepb.Handover{
		Epoch: h.Epoch, Seq: h.Seq, Told: frameHeard(h.Told), Former: frameHeard(h.Former), Unsure: h.Unsure, Steady: h.Steady,
	}
	for _, e := range h.Events {
		out.Handover.Events = append(out.Handover.Events, &nodepb.HandedEvent{Event: e.Event, Age: durationpb.New(e.Age)})
	}
	if d := h.Driver; d != nil {
		out.Handover.Driver = frameDriver(d)
	}
	return out
}

func frameDriver(d *driverHandover) *nodepb.DriverHandover {
	out := &nodepb.DriverHandover{Online: d.Online, RouteTrip: string(d.RouteTrip), RouteRevision: d.RouteRevision}
	if p := d.Position; p != nil {
		out.Position = &nodepb.Position{
			Point: framePoint(p.Point), AccuracyM: p.AccuracyM, HeadingDeg: p.HeadingDeg, SpeedMps: p.SpeedMPS, Age: durationpb.New(d.Age),
		}
		if !p.DeviceTime.IsZero() {
			out.Position.DeviceTime = timestamppb.New(p.DeviceTime)
		}
	}
	for _, o := range d.Offers {
		out.Offers = append(out.Offers, &nodepb.HeldOffer{Trip: string(o.Trip), Offer: o.Shown, Left: durationpb.New(o.Left), Exclusive: o.Exclusive})
	}
	return out
}

func frameHeard(h heard) *nodepb.Heard {
	if h == (heard{}) {
		return nil
	}
	return &nodepb.Heard{Trip: string(h.Trip), Version: h.Version}
}

// takenOverOf reads an answer. What is larger than any node of this version sends is refused.
func takenOverOf(m *nodepb.TakenOver) (any, error) {
	out := takenOver{Account: ride.AccountID(m.GetAccount()), Generation: m.GetGeneration()}
	h := m.GetHandover()
	if h == nil {
		return out, nil
	}
	size := 0
	for _, e := range h.GetEvents() {
		size += len(e.GetEvent()) + eventFee
	}
	switch {
	case size > MaxHistory:
		return nil, fmt.Errorf("%w: a history of %d bytes", errFrame, size)
	case len(h.GetDriver().GetOffers()) > maxHandedOffers:
		return nil, fmt.Errorf("%w: a driver with %d offers", errFrame, len(h.GetDriver().GetOffers()))
	case len(h.GetEpoch()) > maxHandedText || len(h.GetUnsure()) > maxHandedText:
		return nil, fmt.Errorf("%w: a history's name or a command's id is too long", errFrame)
	}
	out.Handover = &handover{
		Epoch: h.GetEpoch(), Seq: h.GetSeq(), Told: heardOf(h.GetTold()), Former: heardOf(h.GetFormer()),
		Unsure: h.GetUnsure(), Steady: h.GetSteady(),
	}
	for _, e := range h.GetEvents() {
		out.Handover.Events = append(out.Handover.Events, handedEvent{Event: e.GetEvent(), Age: e.GetAge().AsDuration()})
	}
	if d := h.GetDriver(); d != nil {
		out.Handover.Driver = driverHandoverOf(d)
	}
	return out, nil
}

func driverHandoverOf(d *nodepb.DriverHandover) *driverHandover {
	out := &driverHandover{Online: d.GetOnline(), RouteTrip: ride.TripID(d.GetRouteTrip()), RouteRevision: d.GetRouteRevision()}
	if p := d.GetPosition(); p != nil {
		out.Position = &ride.Position{
			Point: pointOf(p.GetPoint()), AccuracyM: p.GetAccuracyM(), HeadingDeg: p.GetHeadingDeg(), SpeedMPS: p.GetSpeedMps(),
		}
		out.Age = p.GetAge().AsDuration()
		if p.DeviceTime != nil {
			out.Position.DeviceTime = p.GetDeviceTime().AsTime()
		}
	}
	for _, o := range d.GetOffers() {
		out.Offers = append(out.Offers, handedOffer{Trip: ride.TripID(o.GetTrip()), Shown: o.GetOffer(), Left: o.GetLeft().AsDuration(), Exclusive: o.GetExclusive()})
	}
	return out
}

func heardOf(h *nodepb.Heard) heard {
	return heard{Trip: ride.TripID(h.GetTrip()), Version: h.GetVersion()}
}
