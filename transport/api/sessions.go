package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/auth"
)

func (a *API) registerSessions() {
	register(a, operation{
		id: "log-in", method: http.MethodPost, path: "/v1/login", tag: "Sign-in", summary: "Log in", roles: anyone, signIn: true,
		doc: "A wrong password and an unknown username get the same answer. After 10 failures of a username at one place " +
			"(a network, or a device that has signed in before) each further one costs a longer wait.",
		errors: []*ride.Error{ride.ErrUnauthenticated, ride.ErrSuspended},
	}, a.logIn)
	// Not bounded like log-ins: such a token cannot be guessed, and behind one address there
	// may be a whole telephone network whose log-ins are renewed every quarter of an hour.
	register(a, operation{
		id: "refresh", method: http.MethodPost, path: "/v1/refresh", tag: "Sign-in", summary: "Renew tokens", roles: anyone,
		doc: "A refresh token is valid once. A second use means that it was copied, and ends the whole log-in. " +
			"There is one exception, for an answer that was lost: a request that names an attempt may be repeated with the same one " +
			"for a short while (30 seconds by default). It gets new tokens as long as the refresh token in the lost answer was not " +
			"used; that token is then no longer valid.",
		errors: []*ride.Error{ride.ErrUnauthenticated, ride.ErrSuspended},
	}, a.refresh)
	register(a, operation{
		id: "log-out", method: http.MethodPost, path: "/v1/logout", tag: "Sign-in", summary: "Log out", roles: signedIn, whole: true,
		doc: "Ends the log-in that the access token descends from: its tokens become invalid and its socket closes. " +
			"With a token of an outside issuer it ends all tokens of the account that were issued until then, and all its sockets: " +
			"the next log-in needs a later one.",
	}, a.logOut)
	register(a, operation{
		id: "make-ticket", method: http.MethodPost, path: "/v1/tickets", tag: "Sign-in", summary: "Get a ticket for a socket",
		roles: signedIn, status: http.StatusCreated,
		doc: "A ticket stands for the access token in the socket's connect message, once, within 30 seconds.",
	}, a.makeTicket)
	register(a, operation{
		id: "change-password", method: http.MethodPost, path: "/v1/me/password", tag: "Account", summary: "Change the password",
		roles: signedIn, signIn: true, whole: true,
		doc:    "Ends every log-in of the account and closes its socket; the answer carries a new one.",
		errors: []*ride.Error{ride.ErrWrongRole},
	}, a.changePassword)
}

type logInRequest struct {
	Username string `json:"username" minLength:"1" maxLength:"64"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
	Device   string `json:"device,omitempty" minLength:"16" maxLength:"128" doc:"A secret that the client makes once for the device, such as a random UUID, and keeps. After a log-in with it, other people's failures no longer slow down log-ins from this device. Only a keyed hash is stored, for 90 days."`
}

func (a *API) logIn(ctx context.Context, in *struct{ Body logInRequest }) (*body[signedInView], error) {
	acc, t, err := a.deps.Auth.LogInFrom(ctx, in.Body.Username, in.Body.Password, auth.Place{Addr: callOf(ctx).addr, Device: in.Body.Device})
	if err != nil {
		return nil, err
	}
	return answer(signedInView{showAccount(acc), showTokens(t)}), nil
}

type refreshRequest struct {
	RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"256"`
	Attempt      string `json:"attempt,omitempty" minLength:"16" maxLength:"64" doc:"A secret of the client's choice, such as a random UUID, made once for each refresh token and kept beside it before it is sent. A client that sends it again with its token may repeat the request."`
}

func (a *API) refresh(ctx context.Context, in *struct{ Body refreshRequest }) (*body[signedInView], error) {
	acc, t, err := a.deps.Auth.Refresh(ctx, in.Body.RefreshToken, in.Body.Attempt)
	var reused *auth.ReusedError
	if errors.As(err, &reused) {
		a.deps.Log.LogAttrs(ctx, slog.LevelWarn, "refresh token reused; log-in revoked",
			slog.String("account", string(reused.Account)), slog.String("request_id", requestID(ctx)))
		a.deps.Live.Disconnect(reused.Account, reused.Family, ridepb.CloseRevoked)
	}
	if err != nil {
		return nil, err
	}
	return answer(signedInView{showAccount(acc), showTokens(t)}), nil
}

func (a *API) logOut(ctx context.Context, _ *nothing) (*nothing, error) {
	p := principal(ctx)
	if err := a.deps.Auth.LogOut(ctx, p); err != nil {
		return nil, err
	}
	a.deps.Live.Disconnect(p.Account.ID, p.Family, ridepb.CloseRevoked)
	return nil, nil
}

type ticketView struct {
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) makeTicket(ctx context.Context, _ *nothing) (*body[ticketView], error) {
	t, exp, err := a.deps.Auth.IssueTicket(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return answer(ticketView{t, exp.UTC()}), nil
}

type passwordRequest struct {
	CurrentPassword string `json:"current_password" minLength:"1" maxLength:"1024"`
	NewPassword     string `json:"new_password" minLength:"8" maxLength:"128"`
}

func (a *API) changePassword(ctx context.Context, in *struct{ Body passwordRequest }) (*body[tokensView], error) {
	p := principal(ctx)
	t, err := a.deps.Auth.ChangePassword(ctx, p, in.Body.CurrentPassword, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	a.deps.Live.Disconnect(p.Account.ID, "", ridepb.CloseRevoked)
	return answer(showTokens(t)), nil
}
