package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/problem"
)

func (a *API) registerAdmin() {
	op := func(id, method, path, summary string, errs ...*ride.Error) operation {
		return operation{
			id: id, method: method, path: "/v1/admin" + path, tag: "Operators", summary: summary, roles: operators, errors: errs,
			whole: method == http.MethodPost, // the action, and what is on record of it
		}
	}
	register(a, op("admin-list-accounts", http.MethodGet, "/accounts", "Accounts"), a.adminListAccounts)
	register(a, op("admin-count-waiting", http.MethodGet, "/waiting-drivers", "How many drivers wait for approval"), a.adminCountWaiting)
	register(a, op("admin-get-account", http.MethodGet, "/accounts/{id}", "An account", ride.ErrNotFound), a.adminGetAccount)
	register(a, op("admin-suspend", http.MethodPost, "/accounts/{id}/suspend",
		"Suspend an account: its tokens become invalid and its socket closes", ride.ErrNotFound, ride.ErrWrongStatus), a.adminSuspend)
	register(a, op("admin-reinstate", http.MethodPost, "/accounts/{id}/reinstate",
		"Let a suspended account sign in again", ride.ErrNotFound), a.adminReinstate)
	register(a, op("admin-approve", http.MethodPost, "/accounts/{id}/approve",
		"Let a driver drive", ride.ErrNotFound, ride.ErrWrongStatus), a.adminApprove)
	register(a, op("admin-refuse", http.MethodPost, "/accounts/{id}/refuse",
		"Refuse a driver, or take an approval back: the driver goes offline and learns the reason",
		ride.ErrNotFound, ride.ErrWrongStatus), a.adminRefuse)
	register(a, op("admin-log-out", http.MethodPost, "/accounts/{id}/logout",
		"End every log-in of an account", ride.ErrNotFound), a.adminLogOut)
	register(a, op("admin-reset-password", http.MethodPost, "/accounts/{id}/password",
		"Set an account's password and end its log-ins", ride.ErrNotFound, ride.ErrWrongStatus), a.adminResetPassword)
	register(a, op("admin-remove-photo", http.MethodPost, "/accounts/{id}/remove-photo",
		"Remove an account's photo", ride.ErrNotFound), a.adminRemovePhoto)
	register(a, op("admin-list-trips", http.MethodGet, "/trips", "Trips"), a.adminListTrips)
	a.registerTripsExport()
	register(a, op("admin-get-trip", http.MethodGet, "/trips/{id}",
		"A trip with everything recorded about it, including who was considered and why not", ride.ErrNotFound), a.adminGetTrip)
	register(a, op("admin-cancel-trip", http.MethodPost, "/trips/{id}/cancel", "Cancel a trip",
		ride.ErrNotFound, ride.ErrWrongStatus), a.adminCancelTrip)
	register(a, op("admin-explain-trip", http.MethodGet, "/trips/{id}/explain",
		"Why a trip went to its driver: each round of offers, who was considered, and why or why not", ride.ErrNotFound), a.adminExplain)
	register(a, op("admin-redispatch-trip", http.MethodPost, "/trips/{id}/redispatch",
		"Take a trip that has not started from its driver and search for another, or search again now",
		ride.ErrNotFound, ride.ErrWrongStatus), a.adminRedispatch)
	register(a, op("admin-list-actors", http.MethodGet, "/actors", "The actors by kind, of each node"), a.adminListActors)
	register(a, op("admin-list-samples", http.MethodGet, "/series", "The charts of the last 24 hours, of this node"), a.adminListSamples)
	register(a, op("admin-list-audit", http.MethodGet, "/audit", "What operators did, newest first"), a.adminListAudit)
}

func (a *API) adminListAccounts(ctx context.Context, in *struct {
	Paging
	Role   ride.Role          `query:"role" enum:"rider,driver,operator"`
	Status ride.AccountStatus `query:"status" enum:"active,suspended"`
	Text   string             `query:"q" maxLength:"64" doc:"Part of a username, a name or a plate, or a whole id."`

	Approval ride.Approval    `query:"approval" enum:"pending,approved,refused" doc:"Only drivers with this approval."`
	IDs      []ride.AccountID `query:"id,explode" maxItems:"100" doc:"Only these accounts, ignoring all other filters: those that exist, in one page, unordered."`
}) (*body[list[adminAccountView]], error) {
	if len(in.IDs) > 0 {
		return a.adminAccountsByID(ctx, in.IDs)
	}
	accounts, next, err := a.deps.Accounts.ListAccounts(ctx, ride.AccountFilter{
		Role: in.Role, Status: in.Status, Approval: in.Approval, Text: in.Text, Page: in.page(),
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

// adminAccountsByID reads people whom a caller knows by id alone, as from the feed of the city.
func (a *API) adminAccountsByID(ctx context.Context, ids []ride.AccountID) (*body[list[adminAccountView]], error) {
	accounts, err := a.deps.Accounts.AccountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := list[adminAccountView]{Items: make([]adminAccountView, 0, len(accounts))}
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
	v := showAdminAccount(acc)
	switch t, err := a.deps.Trips.ActiveTrip(ctx, acc.ID, acc.Role); {
	case err == nil:
		v.ActiveTrip = t.ID
	case !errors.Is(err, ride.ErrNotFound):
		return nil, err
	}
	return answer(v), nil
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
		if err := a.deps.Auth.LogOutAccount(ctx, in.ID); err != nil {
			return err
		}
		a.deps.Live.Disconnect(in.ID, "", ridepb.CloseRevoked)
		return nil
	})
}

func (a *API) adminRemovePhoto(ctx context.Context, in *accountAction) (*body[adminAccountView], error) {
	return a.actOnAccount(ctx, "account.remove_photo", in, func() error {
		acc, err := a.deps.Accounts.Account(ctx, in.ID)
		if err != nil {
			return err
		}
		_, err = a.setPhoto(ctx, acc, "")
		return err
	})
}

type resetRequest struct {
	Reason   string `json:"reason" minLength:"1" maxLength:"200" doc:"Kept in the audit; the password is not."`
	Password string `json:"password,omitempty" maxLength:"128" doc:"The new password; without it the server chooses one."`
}

type resetView struct {
	adminAccountView
	Password string `json:"password" doc:"The password for the account's owner, who should change it. It is shown only once."`
}

func (a *API) adminResetPassword(ctx context.Context, in *struct {
	AccountPath
	Body resetRequest
}) (*body[resetView], error) {
	var password string
	v, err := a.actOnAccount(ctx, "account.password", &accountAction{in.AccountPath, reasonRequest{in.Body.Reason}}, func() (err error) {
		if password, err = a.deps.Auth.ResetPassword(ctx, in.ID, in.Body.Password); err != nil {
			return err
		}
		a.deps.Live.Disconnect(in.ID, "", ridepb.CloseRevoked)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer(resetView{v.Body, password}), nil
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
		_ = a.audit(ctx, action+".failed", subject, map[string]string{"code": problem.Of(err).Code})
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
	return a.deps.Audit.AddAudit(ctx, ride.AuditEntry{
		At: ride.Clean(a.cfg.Now()), Actor: principal(ctx).Account.ID, Action: action, Subject: subject, Detail: string(b),
	})
}
