package api

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// TripSearch is the filter that operators' list and export of trips share.
type TripSearch struct {
	Account ride.AccountID `query:"account" maxLength:"64" doc:"Its rider's or driver's id."`
	Text    string         `query:"q" maxLength:"64" doc:"Part of an address, of the id, or of a party's name, username or plate."`
	From    time.Time      `query:"from" doc:"Requested at or after."`
	To      time.Time      `query:"to" doc:"Requested before."`
}

func (a *API) adminListTrips(ctx context.Context, in *struct {
	StatusParam
	Paging
	TripSearch
}) (*body[list[tripJSON]], error) {
	return a.tripPage(ctx, readerOf(ctx), ride.TripFilter{
		Account: in.Account, Statuses: in.statuses(), Live: in.Live, Text: in.Text, From: in.From, To: in.To, Page: in.page(),
	})
}

func (a *API) adminGetTrip(ctx context.Context, in *TripPath) (*body[tripDetail], error) {
	return a.tripDetail(ctx, readerOf(ctx), in.ID)
}

type tripView struct {
	Trip tripJSON `json:"trip"`
}

// TripAction is what an operator does to a trip.
type TripAction struct {
	TripPath
	Body reasonRequest
}

func (a *API) adminCancelTrip(ctx context.Context, in *TripAction) (*body[tripView], error) {
	return a.actOnTrip(ctx, "trip.cancel", in, func() (ride.Trip, error) {
		return a.deps.Live.CancelTrip(ctx, in.ID, principal(ctx).Account.ID, in.Body.Reason)
	})
}

func (a *API) adminRedispatch(ctx context.Context, in *TripAction) (*body[tripView], error) {
	return a.actOnTrip(ctx, "trip.redispatch", in, func() (ride.Trip, error) {
		return a.deps.Live.Redispatch(ctx, in.ID, in.Body.Reason)
	})
}

// actOnTrip audits and performs an operator's action, and answers with the trip after it.
func (a *API) actOnTrip(ctx context.Context, action string, in *TripAction, act func() (ride.Trip, error)) (*body[tripView], error) {
	if _, err := a.deps.Trips.Trip(ctx, in.ID); err != nil {
		return nil, err
	}
	var t ride.Trip
	err := a.audited(ctx, action, string(in.ID), in.Body.Reason, func() (err error) {
		t, err = act()
		return err
	})
	if err != nil {
		return nil, err
	}
	j, err := showTrip(&t, readerOf(ctx))
	if err != nil {
		return nil, err
	}
	return answer(tripView{j}), nil
}
