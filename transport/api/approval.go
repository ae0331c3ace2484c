package api

import (
	"context"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// noteRequest is an operator's word on an action that needs none.
type noteRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"Kept in the audit."`
}

// mostWaiting is how far waiting drivers are counted.
const mostWaiting = 1000

type waitingView struct {
	Count int  `json:"count" minimum:"0" doc:"Drivers waiting for an operator's decision, counted up to 1000."`
	More  bool `json:"more" doc:"Whether there are more than that."`
}

func (a *API) adminCountWaiting(ctx context.Context, _ *struct{}) (*body[waitingView], error) {
	n, err := a.deps.Accounts.CountWaiting(ctx, mostWaiting+1)
	if err != nil {
		return nil, err
	}
	return answer(waitingView{Count: min(n, mostWaiting), More: n > mostWaiting}), nil
}

func (a *API) adminApprove(ctx context.Context, in *struct {
	AccountPath
	Body noteRequest
}) (*body[adminAccountView], error) {
	action := accountAction{in.AccountPath, reasonRequest{in.Body.Reason}}
	return a.decide(ctx, "account.approve", &action, ride.ApprovalApproved, "")
}

func (a *API) adminRefuse(ctx context.Context, in *struct {
	AccountPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Shown to the driver, and kept in the audit."`
	}
}) (*body[adminAccountView], error) {
	reason, ok := auth.TidyText(in.Body.Reason, ride.MaxApprovalReason)
	if !ok || reason == "" {
		return nil, ride.ErrInvalidArgument.In("reason").With("A reason is one line of plain text.")
	}
	action := accountAction{in.AccountPath, reasonRequest{reason}}
	return a.decide(ctx, "account.refuse", &action, ride.ApprovalRefused, reason)
}

// decide records what an operator decided about a driver, and tells a running session.
func (a *API) decide(ctx context.Context, action string, in *accountAction, to ride.Approval, reason string) (*body[adminAccountView], error) {
	acc, err := a.deps.Accounts.Account(ctx, in.ID)
	switch {
	case err != nil:
		return nil, err
	case acc.Role != ride.RoleDriver:
		return nil, ride.ErrWrongStatus.With("Only drivers are approved or refused.")
	}
	return a.actOnAccount(ctx, action, in, func() error {
		acc, err := a.deps.Accounts.SetApproval(ctx, in.ID, to, reason)
		if err != nil {
			return err
		}
		a.deps.Live.AccountChanged(acc)
		return nil
	})
}
