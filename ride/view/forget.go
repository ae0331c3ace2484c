package view

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// ForgetReply takes what names an erased person out of an encoded reply that shows a trip, as
// ride.ForgetTrip did with the trip given. ok is false when there is nothing to take out.
func ForgetReply(encoded []byte, forgotten *ride.Trip, who ride.AccountID) (without []byte, ok bool, err error) {
	var r ridepb.Reply
	if err := proto.Unmarshal(encoded, &r); err != nil {
		return nil, false, fmt.Errorf("decode reply: %w", err)
	}
	t := r.GetTrip()
	if t.GetId() != string(forgotten.ID) {
		return nil, false, nil
	}
	before := proto.Clone(&r)
	if forgotten.Request.Rider.ID == who {
		if t.Rider != nil {
			t.Rider.FirstName, t.Rider.PhotoUrl = "", ""
		}
		t.PickupAddress, t.DropoffAddress, t.Note = "", "", ""
		t.Pickup, t.Dropoff = Point(forgotten.Request.Pickup), Point(forgotten.Request.Dropoff)
	}
	if d := t.Driver; d.GetId() == string(who) {
		d.FirstName, d.PhotoUrl, d.Plate = "", "", ""
		d.VehicleMake, d.VehicleModel, d.VehicleColour = "", "", ""
	}
	if forgotten.HadPart(who) {
		if c := t.Cancellation; c.GetBy() != ridepb.Cancellation_system && c != nil {
			c.Reason = ""
		}
		for _, m := range []*ridepb.Mark{t.Arrival, t.Completion} {
			if m != nil {
				m.Reason = ""
			}
		}
	}
	if proto.Equal(before, &r) {
		return nil, false, nil
	}
	without, err = proto.Marshal(&r)
	if err != nil {
		return nil, false, fmt.Errorf("encode reply: %w", err)
	}
	return without, true, nil
}
