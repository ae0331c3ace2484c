package session

import (
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// kind is a message that a client may send.
type kind uint8

const (
	kindNone kind = iota // a frame that could not be read
	kindConnect
	kindPing
	kindGoOnline
	kindGoOffline
	kindLocation
	kindGetQuote
	kindRequestTrip
	kindCancelTrip
	kindAcceptOffer
	kindDeclineOffer
	kindArrived
	kindStartTrip
	kindCompleteTrip
	kindRateTrip
	kindWatchCity
	kindUnwatchCity
	kinds // their number
)

// kindOf tells which message a frame carries.
func kindOf(f *ridepb.ClientFrame) kind {
	switch f.Body.(type) {
	case *ridepb.ClientFrame_Location:
		return kindLocation
	case *ridepb.ClientFrame_Connect:
		return kindConnect
	case *ridepb.ClientFrame_Ping:
		return kindPing
	case *ridepb.ClientFrame_GoOnline:
		return kindGoOnline
	case *ridepb.ClientFrame_GoOffline:
		return kindGoOffline
	case *ridepb.ClientFrame_GetQuote:
		return kindGetQuote
	case *ridepb.ClientFrame_RequestTrip:
		return kindRequestTrip
	case *ridepb.ClientFrame_CancelTrip:
		return kindCancelTrip
	case *ridepb.ClientFrame_AcceptOffer:
		return kindAcceptOffer
	case *ridepb.ClientFrame_DeclineOffer:
		return kindDeclineOffer
	case *ridepb.ClientFrame_Arrived:
		return kindArrived
	case *ridepb.ClientFrame_StartTrip:
		return kindStartTrip
	case *ridepb.ClientFrame_CompleteTrip:
		return kindCompleteTrip
	case *ridepb.ClientFrame_RateTrip:
		return kindRateTrip
	case *ridepb.ClientFrame_WatchCity:
		return kindWatchCity
	case *ridepb.ClientFrame_UnwatchCity:
		return kindUnwatchCity
	}
	return kindNone
}

// roles is a set of roles.
type roles uint8

const (
	riders roles = 1 << iota
	drivers
	operators
	anyRole = riders | drivers | operators
)

func (r roles) has(role ride.Role) bool {
	switch role {
	case ride.RoleRider:
		return r&riders != 0
	case ride.RoleDriver:
		return r&drivers != 0
	case ride.RoleOperator:
		return r&operators != 0
	}
	return false
}

// frameSpec is what a session holds a message to.
type frameSpec struct {
	name   string // the field's name in the .proto file, for metrics and field paths
	roles  roles  // who may send it
	idFree bool   // it may come without an id
	// check looks at the fields as far as that needs no knowledge of the world.
	check func(*ridepb.ClientFrame) *ride.Error
}

// frameSpecs is the subject × message table. A test holds it to the .proto file.
var frameSpecs = [kinds]frameSpec{
	kindNone:         {name: "unreadable"},
	kindConnect:      {name: "connect", roles: anyRole, check: checkConnect},
	kindPing:         {name: "ping", roles: anyRole, idFree: true, check: checkNothing},
	kindGoOnline:     {name: "go_online", roles: drivers, check: checkGoOnline},
	kindGoOffline:    {name: "go_offline", roles: drivers, check: checkNothing},
	kindLocation:     {name: "location", roles: drivers, idFree: true, check: checkLocation},
	kindGetQuote:     {name: "get_quote", roles: riders, check: checkGetQuote},
	kindRequestTrip:  {name: "request_trip", roles: riders, check: checkRequestTrip},
	kindCancelTrip:   {name: "cancel_trip", roles: riders | drivers, check: checkCancelTrip},
	kindAcceptOffer:  {name: "accept_offer", roles: drivers, check: checkAcceptOffer},
	kindDeclineOffer: {name: "decline_offer", roles: drivers, check: checkDeclineOffer},
	kindArrived:      {name: "arrived", roles: drivers, check: checkArrived},
	kindStartTrip:    {name: "start_trip", roles: drivers, check: checkStartTrip},
	kindCompleteTrip: {name: "complete_trip", roles: drivers, check: checkCompleteTrip},
	kindRateTrip:     {name: "rate_trip", roles: riders | drivers, check: checkRateTrip},
	kindWatchCity:    {name: "watch_city", roles: operators, check: checkWatchCity},
	kindUnwatchCity:  {name: "unwatch_city", roles: operators, check: checkNothing},
}
