package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/clientaddr"
	"github.com/hexhail/hexhail/transport/problem"
)

// operation declares one operation: what it is, who may call it, what it may refuse.
type operation struct {
	id, method, path string
	summary, doc     string
	tag              string
	status           int         // of success; 0: 200, or 204 without a body
	roles            []ride.Role // who may call it; nil: everyone, without credentials
	signIn           bool        // bounded like log-ins
	photo            bool        // bounded like uploads; reads its body itself, within 30 s
	whole            bool        // several steps that belong together: carried through for a client that has gone, too
	errors           []*ride.Error
}

// The groups of callers.
var (
	anyone       = []ride.Role(nil)
	signedIn     = []ride.Role{ride.RoleRider, ride.RoleDriver, ride.RoleOperator}
	participants = []ride.Role{ride.RoleRider, ride.RoleDriver}
	drivers      = []ride.Role{ride.RoleDriver}
	operators    = []ride.Role{ride.RoleOperator}
)

// rolesExtension is where the OpenAPI document says who may call an operation.
const rolesExtension = "x-hexhail-roles"

// register adds an operation. The handler's errors become problems.
func register[I, O any](a *API, op operation, handler func(context.Context, *I) (*O, error)) {
	h := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: op.doc,
		Tags: []string{op.tag}, DefaultStatus: op.status, MaxBodyBytes: maxJSONBytes + 1,
		BodyReadTimeout: 5 * time.Second, RejectUnknownQueryParameters: true,
		Middlewares: huma.Middlewares{a.admit(op)},
		Responses:   a.refusals(op),
		Extensions:  map[string]any{rolesExtension: append([]ride.Role{}, op.roles...)},
	}
	if op.roles != nil {
		h.Security = []map[string][]string{{"bearer": {}}}
	}
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*O, error) {
		if op.whole {
			var done context.CancelFunc
			ctx, done = a.carryOn(ctx)
			defer done()
		}
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.fail(ctx, op.id, err)
		}
		return out, nil
	})
}

// carryOn gives steps that belong together their time, whether or not the client waits.
func (a *API) carryOn(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Timeout)
}

// refusals documents an operation's error answers, by status.
func (a *API) refusals(op operation) map[string]*huma.Response {
	all := append([]*ride.Error{
		ride.ErrMalformed, ride.ErrInvalidArgument, ride.ErrTooMany, ride.ErrInternal, ride.ErrUnavailable,
	}, op.errors...)
	if op.roles != nil {
		all = append(all, ride.ErrUnauthenticated, ride.ErrSuspended)
	}
	if op.roles != nil && len(op.roles) < len(signedIn) {
		all = append(all, ride.ErrWrongRole)
	}
	byStatus := map[int][]string{}
	for _, e := range all {
		st := problem.Status(e)
		if !slices.Contains(byStatus[st], e.Code) {
			byStatus[st] = append(byStatus[st], e.Code)
		}
	}
	out := map[string]*huma.Response{}
	for st, codes := range byStatus {
		slices.Sort(codes)
		out[strconv.Itoa(st)] = &huma.Response{
			Description: http.StatusText(st) + ": " + strings.Join(codes, ", "),
			Content:     map[string]*huma.MediaType{problem.ContentType: {Schema: a.problemSchema}},
		}
	}
	return out
}

// admit lets those through who may call the operation, and as often as they may.
func (a *API) admit(op operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if err := a.admitted(op, r, w, &ctx); err != nil {
			a.fail(r.Context(), op.id, err).Write(w)
			return
		}
		next(ctx)
	}
}

func (a *API) admitted(op operation, r *http.Request, w http.ResponseWriter, ctx *huma.Context) error {
	call := callOf(r.Context())
	call.request, call.writer = r, w
	if op.signIn {
		if err := a.limitSignIn.allow(clientaddr.NetworkOf(call.addr)); err != nil {
			return err
		}
	}
	if op.roles == nil {
		return nil
	}
	token, ok := transport.BearerToken(r.Header)
	if !ok {
		return ride.ErrUnauthenticated
	}
	p, err := a.deps.Auth.Authenticate(r.Context(), token)
	if err != nil {
		return err
	}
	call.account = p.Account.ID
	if err := a.limitAccount.allow(string(p.Account.ID)); err != nil {
		return err
	}
	if !slices.Contains(op.roles, p.Account.Role) {
		return ride.ErrWrongRole
	}
	if op.photo {
		if err := a.limitPhoto.allow(string(p.Account.ID)); err != nil {
			return err
		}
	}
	*ctx = huma.WithValue(*ctx, principalKey{}, p)
	return nil
}

type principalKey struct{}

// principal is who calls. Only operations with roles have one; asking elsewhere is a
// bug, and finds an account that nothing belongs to.
func principal(ctx context.Context) transport.Principal {
	p, _ := ctx.Value(principalKey{}).(transport.Principal)
	return p
}
