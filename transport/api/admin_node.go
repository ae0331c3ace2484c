package api

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// kindJSON are actors of a kind exactly as the sockets show them.
type kindJSON []byte

// MarshalJSON implements json.Marshaler.
func (k kindJSON) MarshalJSON() ([]byte, error) { return k, nil }

// Schema implements huma.SchemaProvider.
func (kindJSON) Schema(r huma.Registry) *huma.Schema {
	return messageSchema(r, (*ridepb.ActorKind)(nil).ProtoReflect().Descriptor())
}

// sampleJSON is a point of the charts exactly as the sockets show it.
type sampleJSON []byte

// MarshalJSON implements json.Marshaler.
func (s sampleJSON) MarshalJSON() ([]byte, error) { return s, nil }

// Schema implements huma.SchemaProvider.
func (sampleJSON) Schema(r huma.Registry) *huma.Schema {
	return messageSchema(r, (*ridepb.Sample)(nil).ProtoReflect().Descriptor())
}

// nodeJSON is a node exactly as the sockets show it.
type nodeJSON []byte

// MarshalJSON implements json.Marshaler.
func (n nodeJSON) MarshalJSON() ([]byte, error) { return n, nil }

// Schema implements huma.SchemaProvider.
func (nodeJSON) Schema(r huma.Registry) *huma.Schema {
	return messageSchema(r, (*ridepb.CityNode)(nil).ProtoReflect().Descriptor())
}

type kindsView struct {
	Kinds []kindJSON `json:"kinds"`
	Nodes []nodeJSON `json:"nodes,omitempty" doc:"The nodes of the cluster, by name. The actors of a node that is missing are left out."`
}

func (a *API) adminListActors(ctx context.Context, _ *nothing) (*body[kindsView], error) {
	all, list := a.deps.Live.Actors(ctx)
	kinds, err := marshalEach[kindJSON](all)
	if err != nil {
		return nil, err
	}
	nodes, err := marshalEach[nodeJSON](list)
	return answer(kindsView{kinds, nodes}), err
}

type seriesView struct {
	Samples []sampleJSON `json:"samples" doc:"Oldest first."`
}

// The bounds of what one request gets of the charts.
const (
	seriesFor  = 24 * time.Hour
	seriesStep = 10 * time.Second
	maxSamples = 1500
)

func (a *API) adminListSamples(_ context.Context, in *struct {
	Since time.Time `query:"since" doc:"Only steps that ended later; without it, the last 3 hours."`
	Step  int       `query:"step" minimum:"10" maximum:"3600" default:"60" doc:"The length of one step in seconds: a multiple of 10. Made longer where more than 1,500 steps would come."`
}) (*body[seriesView], error) {
	if in.Step%10 != 0 {
		return nil, ride.ErrInvalidArgument.With("A step is a multiple of 10 seconds.").In("step")
	}
	now := a.cfg.Now()
	if in.Since.IsZero() {
		in.Since = now.Add(-3 * time.Hour)
	}
	if oldest := now.Add(-seriesFor); in.Since.Before(oldest) {
		in.Since = oldest
	}
	step := time.Duration(in.Step) * time.Second
	for now.Sub(in.Since)/step > maxSamples {
		step += seriesStep
	}
	samples, err := marshalEach[sampleJSON](a.deps.Live.Samples(in.Since, step))
	return answer(seriesView{samples}), err
}

// marshalEach gives each message the form that the sockets give it; never nil.
func marshalEach[J ~[]byte, M proto.Message](messages []M) ([]J, error) {
	out := make([]J, 0, len(messages))
	for _, m := range messages {
		b, err := marshal(m)
		if err != nil {
			return nil, err
		}
		out = append(out, J(b))
	}
	return out, nil
}

type auditView struct {
	ID      string         `json:"id"`
	At      time.Time      `json:"at"`
	Actor   ride.AccountID `json:"actor"`
	Action  string         `json:"action" doc:"Such as account.suspend; .failed is added when it did not work."`
	Subject string         `json:"subject" doc:"Id of the account or trip."`
	Detail  string         `json:"detail"`
}

func (a *API) adminListAudit(ctx context.Context, in *struct {
	Paging
	Actor   ride.AccountID `query:"actor" maxLength:"64" doc:"Who acted."`
	Action  string         `query:"action" maxLength:"64" doc:"Exactly."`
	Subject string         `query:"subject" maxLength:"64" doc:"Id of the account or trip."`
	From    time.Time      `query:"from" doc:"At or after."`
	To      time.Time      `query:"to" doc:"Before."`
}) (*body[list[auditView]], error) {
	entries, next, err := a.deps.Audit.ListAudit(ctx, ride.AuditFilter{
		Actor: in.Actor, Action: in.Action, Subject: in.Subject, From: in.From, To: in.To, Page: in.page(),
	})
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
