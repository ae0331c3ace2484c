package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

const (
	exportPath = "/v1/me/export"
	// exportPage bounds the trips of one's own export in memory.
	exportPage = 20
)

// registerMine registers what people may do with all that is held about them.
func (a *API) registerMine() {
	register(a, operation{
		id: "erase-me", method: http.MethodDelete, path: "/v1/me", tag: "Account", summary: "Erase one's account", roles: signedIn,
		signIn: true, whole: true,
		doc: "Removes the account and everything that identifies its person for good, and ends its log-ins. Trips keep their figures and lose " +
			"names, vehicles, addresses and tracks. Needs the password, or for accounts of outside issuers a token of the last 10 minutes.",
		errors: []*ride.Error{ride.ErrTripActive, ride.ErrFreshLogin},
	}, a.eraseMe)
	register(a, operation{
		id: "export-me", method: http.MethodGet, path: exportPath, tag: "Account", summary: "All data held about the account", roles: signedIn,
		photo: true,
		doc:   "One JSON document: the account, what is stored with it by table, and each trip as its owner may see it.",
	}, a.exportMe)
	a.huma.OpenAPI().Paths[exportPath].Get.Responses["200"] = &huma.Response{
		Description: "The document.",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"exported_at", "account", "held", "trips"}, AdditionalProperties: true,
			Properties: map[string]*huma.Schema{
				"exported_at": {Type: huma.TypeString, Format: "date-time"},
				"account":     {Type: huma.TypeObject, AdditionalProperties: true},
				"held":        {Type: huma.TypeObject, AdditionalProperties: true, Description: "Rows by table."},
				"trips":       {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
			},
		}}},
	}
}

type eraseRequest struct {
	Password string `json:"password,omitempty" maxLength:"128" doc:"The account's own; not for accounts of outside issuers."`
}

func (a *API) eraseMe(ctx context.Context, in *struct {
	Body *eraseRequest
}) (*struct{}, error) {
	p, password := principal(ctx), ""
	if in.Body != nil {
		password = in.Body.Password
	}
	if err := a.deps.Auth.Confirm(ctx, p, password); err != nil {
		return nil, err
	}
	switch _, err := a.deps.Trips.ActiveTrip(ctx, p.Account.ID, p.Account.Role); {
	case err == nil:
		return nil, ride.ErrTripActive
	case !errors.Is(err, ride.ErrNotFound):
		return nil, err
	}
	// A trip that begins at this moment is the store's to notice.
	err := a.audited(ctx, "account.erase", string(p.Account.ID), "asked for by its owner", func() error {
		return a.deps.Accounts.Erase(ctx, p.Account.ID)
	})
	if err != nil {
		return nil, err
	}
	a.deps.Live.Disconnect(p.Account.ID, "", ridepb.CloseRevoked)
	return nil, nil
}

// exportHead is what an export begins with; the trips follow it.
type exportHead struct {
	ExportedAt time.Time                 `json:"exported_at"`
	Account    adminAccountView          `json:"account"`
	Subject    string                    `json:"subject,omitempty"` // at the outside issuer
	Held       map[string][]ride.HeldRow `json:"held"`
}

// exportTrip is a trip in an export: as its owner sees it, with their own words.
type exportTrip struct {
	tripDetail
	Comment string `json:"comment,omitempty"` // with the stars that the person gave
}

// exportMe writes trips as it reads them, a page at a time, so that a long history takes no more
// memory than a short one. What fails after the first byte cuts the connection: half a document
// must not look like a whole one. Nor does it go on once the account or its log-in ends.
func (a *API) exportMe(ctx context.Context, _ *nothing) (*huma.StreamResponse, error) {
	me := principal(ctx).Account
	leave, err := a.enterExport(me)
	if err != nil {
		return nil, err
	}
	streaming := false
	defer func() {
		if !streaming {
			leave()
		}
	}()
	held, err := a.deps.Accounts.Held(ctx, me.ID)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(exportHead{
		ExportedAt: a.cfg.Now().UTC(), Account: showAdminAccount(me), Subject: me.Subject, Held: held,
	})
	if err != nil {
		return nil, err
	}
	first, next, err := a.exportTrips(ctx, me.ID, "")
	if err != nil {
		return nil, err
	}
	streaming = true
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer leave()
		out.SetHeader("Content-Type", "application/json")
		out.SetHeader("Content-Disposition", `attachment; filename="hexhail-export.json"`)
		a.writeExport(ctx, out, head, first, next)
	}}, nil
}

func (a *API) writeExport(ctx context.Context, out huma.Context, head []byte, trips [][]byte, next string) {
	write, done := exportTo(ctx, out)
	defer done()
	write(append(head[:len(head)-1], `,"trips":[`...))
	for n := 0; ; {
		for _, t := range trips {
			if n++; n > 1 {
				write([]byte(","))
			}
			write(t)
		}
		if next == "" {
			break
		}
		var err error
		if trips, next, err = a.exportTrips(ctx, principal(ctx).Account.ID, next); err == nil {
			err = a.deps.Auth.StillCounts(ctx, principal(ctx))
		}
		if err != nil {
			_ = a.fail(ctx, "export-me", err)
			panic(http.ErrAbortHandler)
		}
	}
	write([]byte("]}\n"))
}

// exportTrips encodes one page of a person's trips.
func (a *API) exportTrips(ctx context.Context, id ride.AccountID, cursor string) ([][]byte, string, error) {
	r := readerOf(ctx)
	if r.Role == ride.RoleOperator {
		return nil, "", nil // operators have none of their own
	}
	trips, next, err := a.deps.Trips.ListTrips(ctx, ride.TripFilter{Account: id, Page: ride.Page{Limit: exportPage, Cursor: cursor}})
	if err != nil {
		return nil, "", err
	}
	out := make([][]byte, 0, len(trips))
	for i := range trips {
		if !r.May(&trips[i]) {
			continue
		}
		detail, err := a.tripDetail(ctx, r, trips[i].ID)
		if err != nil {
			return nil, "", err
		}
		events, err := a.deps.Trips.TripEvents(ctx, trips[i].ID)
		if err != nil {
			return nil, "", err
		}
		t := exportTrip{tripDetail: detail.Body}
		for _, e := range events {
			if rated, ok := e.Event.(ride.Rated); ok && string(rated.By) == string(r.Role) {
				t.Comment = rated.Comment
			}
		}
		b, err := json.Marshal(t)
		if err != nil {
			return nil, "", err
		}
		out = append(out, b)
	}
	return out, next, nil
}
