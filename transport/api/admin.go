package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

func (a *API) registerAdmin() {
	op := func(id, method, path, summary string, errs ...*ride.Error) operation {
		return operation{id: id, method: method, path: "/v1/admin" + path, tag: "Operators", summary: summary, roles: operators, errors: errs}
	}
	register(a, op("admin-list-accounts", http.MethodGet, "/accounts", "Accounts"), a.adminListAccounts)
	register(a, op("admin-get-account", http.MethodGet, "/accounts/{id}", "An account", ride.ErrNotFound), a.adminGetAccount)
	register(a, op("admin-suspend", http.MethodPost, "/accounts/{id}/suspend",
		"Suspend an account: its tokens cease to count and its socket closes", ride.ErrNotFound, ride.ErrWrongStatus), a.adminSuspend)
	register(a, op("admin-reinstate", http.MethodPost, "/accounts/{id}/reinstate",
		"Let a suspended account sign in again", ride.ErrNotFound), a.adminReinstate)
	register(a, op("admin-log-out", http.MethodPost, "/accounts/{id}/logout",
		"End every log-in of an account", ride.ErrNotFound), a.adminLogOut)
	register(a, op("admin-list-trips", http.MethodGet, "/trips", "Trips"), a.adminListTrips)
	register(a, op("admin-get-trip", http.MethodGet, "/trips/{id}",
		"A trip with all that was recorded, also who was considered and why not", ride.ErrNotFound), a.adminGetTrip)
	register(a, op("admin-cancel-trip", http.MethodPost, "/trips/{id}/cancel", "Cancel a trip",
		ride.ErrNotFound, ride.ErrWrongStatus), a.adminCancelTrip)
	register(a, op("admin-list-audit", http.MethodGet, "/audit", "What operators did, newest first"), a.adminListAudit)
}

func (a *API) adminListAccounts(ctx context.Context, in *struct {
	Paging
	Role   ride.Role          `query:"role" enum:"rider,driver,operator"`
	Status ride.AccountStatus `query:"status" enum:"active,suspended"`
	Text   string             `query:"q" maxLength:"64" doc:"Part of a username or a name."`
}) (*body[list[adminAccountView]], error) {
	accounts, next, err := a.deps.Accounts.ListAccounts(ctx, ride.AccountFilter{
		Role: in.Role, Status: in.Status, Text: in.Text, Page: in.page(),
	})
	if err != nil {
		return nil, err
	}
	out := list[adminAccountView]{Items: make([]adminAccountView, 0, len(accounts)), NextCursor: next}
	for _, acc := range accounts {
		out.Items = append(out.Items, showAdminAccount(acc))
	}
	return answer(out), nil
}

// AccountPath names an account.
type AccountPath struct {
	ID ride.AccountID `path:"id" maxLength:"64"`
}

func (a *API) adminGetAccount(ctx context.Context, in *AccountPath) (*body[adminAccountView], error) {
	acc, err := a.deps.Accounts.Account(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return answer(showAdminAccount(acc)), nil
}

// reasonRequest says why an operator acts; the audit keeps it.
type reasonRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Kept in the audit."`
}

type accountAction struct {
	AccountPath
	Body reasonRequest
}

func (a *API) adminSuspend(ctx context.Context, in *accountAction) (*body[adminAccountView], error) {
	if in.ID == principal(ctx).Account.ID {
		return nil, ride.ErrWrongStatus.With("Operators do not suspend themselves.")
	}
	return a.actOnAccount(ctx, "account.suspend", in, func() error {
		if err := a.deps.Accounts.SetAccountStatus(ctx, in.ID, ride.AccountSuspended); err != nil {
			return err
		}
		a.deps.Live.Disconnect(in.ID, "", ridepb.CloseSuspended)
		return nil
	})
}

func (a *API) adminReinstate(ctx context.Context, in *accountAction) (*body[adminAccountView], error) {
	return a.actOnAccount(ctx, "account.reinstate", in, func() error {
		return a.deps.Accounts.SetAccountStatus(ctx, in.ID, ride.AccountActive)
	})
}

func (a *API) adminLogOut(ctx context.Context, in *accountAction) (*body[adminAccountView], error) {
	return a.actOnAccount(ctx, "account.logout", in, func() error {
		if err := a.deps.Accounts.RevokeAccount(ctx, in.ID); err != nil {
			return err
		}
		a.deps.Live.Disconnect(in.ID, "", ridepb.CloseRevoked)
		return nil
	})
}

// actOnAccount audits and performs an operator's action, and answers with the account
// as it is then.
func (a *API) actOnAccount(ctx context.Context, action string, in *accountAction, act func() error) (*body[adminAccountView], error) {
	if _, err := a.deps.Accounts.Account(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.audited(ctx, action, string(in.ID), in.Body.Reason, act); err != nil {
		return nil, err
	}
	return a.adminGetAccount(ctx, &in.AccountPath)
}

// audited writes the audit entry and then acts: what is not on record does not happen.
// An action that fails leaves a second entry that says so.
func (a *API) audited(ctx context.Context, action, subject, reason string, act func() error) error {
	if err := a.audit(ctx, action, subject, map[string]string{"reason": reason}); err != nil {
		return err
	}
	err := act()
	if err != nil {
		// The failure is what the operator must hear of, whether or not this is recorded.
		_ = a.audit(ctx, action+".failed", subject, map[string]string{"code": problemOf(err).Code})
	}
	return err
}

func (a *API) audit(ctx context.Context, action, subject string, detail map[string]string) error {
	b, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	const most = 1000 // 200 characters may take more when escaped
	if len(b) > most {
		b = []byte(`{"reason":"(too long to keep)"}`)
	}
	return a.deps.Accounts.AddAudit(ctx, ride.AuditEntry{
		At: ride.Clean(a.cfg.Now()), Actor: principal(ctx).Account.ID, Action: action, Subject: subject, Detail: string(b),
	})
}

func (a *API) adminListTrips(ctx context.Context, in *struct {
	StatusParam
	Paging
	Account ride.AccountID `query:"account" maxLength:"64" doc:"Its rider's or driver's id."`
	Text    string         `query:"q" maxLength:"64" doc:"Part of an address or an id."`
	From    time.Time      `query:"from" doc:"Requested at or after."`
	To      time.Time      `query:"to" doc:"Requested before."`
}) (*body[list[tripJSON]], error) {
	return a.tripPage(ctx, readerOf(ctx), ride.TripFilter{
		Account: in.Account, Status: in.Status, Live: in.Live, Text: in.Text, From: in.From, To: in.To, Page: in.page(),
	})
}

func (a *API) adminGetTrip(ctx context.Context, in *TripPath) (*body[tripDetail], error) {
	return a.tripDetail(ctx, readerOf(ctx), in.ID)
}

type tripView struct {
	Trip tripJSON `json:"trip"`
}

func (a *API) adminCancelTrip(ctx context.Context, in *struct {
	TripPath
	Body reasonRequest
}) (*body[tripView], error) {
	if _, err := a.deps.Trips.Trip(ctx, in.ID); err != nil {
		return nil, err
	}
	var t ride.Trip
	err := a.audited(ctx, "trip.cancel", string(in.ID), in.Body.Reason, func() (err error) {
		t, err = a.deps.Live.CancelTrip(ctx, in.ID, principal(ctx).Account.ID, in.Body.Reason)
		return err
	})
	if err != nil {
		return nil, err
	}
	j, err := showTrip(&t, view.Reader{Account: principal(ctx).Account.ID, Role: ride.RoleOperator})
	if err != nil {
		return nil, err
	}
	return answer(tripView{j}), nil
}

type auditView struct {
	ID      string         `json:"id"`
	At      time.Time      `json:"at"`
	Actor   ride.AccountID `json:"actor"`
	Action  string         `json:"action" doc:"Such as account.suspend; .failed is added when it did not work."`
	Subject string         `json:"subject" doc:"Id of the account or trip."`
	Detail  string         `json:"detail"`
}

func (a *API) adminListAudit(ctx context.Context, in *struct{ Paging }) (*body[list[auditView]], error) {
	entries, next, err := a.deps.Accounts.ListAudit(ctx, in.page())
	if err != nil {
		return nil, err
	}
	out := list[auditView]{Items: make([]auditView, 0, len(entries)), NextCursor: next}
	for _, e := range entries {
		out.Items = append(out.Items, auditView{
			ID: strconv.FormatInt(e.ID, 10), At: e.At.UTC(), Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail,
		})
	}
	return answer(out), nil
}
