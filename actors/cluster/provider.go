package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/hexhail/hexhail/actors/cluster/membership"
)

// leaveWithin bounds how long Shutdown waits for the registry.
const leaveWithin = time.Second

// Provider is Members as protoactor's ClusterProvider.
//
// protoactor never lets a member come back that has left its list, nor one whose gossip was late for
// 20 s; both would undo what the judge decides. Therefore Configure turns gossip off, and other
// members get a new name each time they join. Their remoting goes by the names of their actor systems,
// which are never blocked.
type Provider struct {
	config  Config
	joining func(*Members)

	members *Members
	names   map[membership.ID]string // those in the list
	joins   int
}

var _ cluster.ClusterProvider = (*Provider)(nil)

// NewProvider returns a provider for one cluster. Config's Self needs no address: it is that of the
// actor system. Changed may be nil. joining, if not nil, receives the Members before they are used,
// so that pings can be answered.
func NewProvider(c Config, joining func(*Members)) *Provider {
	return &Provider{config: c, joining: joining, names: map[membership.ID]string{}}
}

// Configure is protoactor's configuration with a Provider, and without gossip.
func Configure(name string, p *Provider, lookup cluster.IdentityLookup, r *remote.Config, options ...cluster.ConfigOption) *cluster.Config {
	c := cluster.Configure(name, p, lookup, r, options...)
	c.GossipInterval, c.HeartbeatExpiration = math.MaxInt64, math.MaxInt64
	return c
}

// StartMember is called by protoactor. It does not wait for the registry.
func (p *Provider) StartMember(c *cluster.Cluster) error {
	if c.Config.GossipInterval != math.MaxInt64 {
		return errors.New("cluster: gossip would block members for ever; use Configure")
	}
	also := p.config.Changed
	p.config.Self.Address = c.ActorSystem.Address()
	p.config.Changed = func(members, leaving []membership.Member) {
		c.MemberList.UpdateClusterTopology(p.list(c, members))
		if also != nil {
			also(members, leaving)
		}
	}
	var err error
	if p.members, err = Start(p.config); err == nil && p.joining != nil {
		p.joining(p.members)
	}
	return err
}

// list converts members. It is called from one goroutine.
func (p *Provider) list(c *cluster.Cluster, members []membership.Member) cluster.Members {
	names := map[membership.ID]string{}
	var out cluster.Members
	for _, m := range members {
		host, text, err := net.SplitHostPort(m.Address)
		port, err2 := strconv.ParseInt(text, 10, 32)
		if err != nil || err2 != nil {
			continue // it cannot be reached by anyone
		}
		name, ok := p.names[m.ID]
		switch {
		case m.ID == p.config.Self.ID:
			name = c.ActorSystem.ID
		case !ok:
			p.joins++
			name = fmt.Sprintf("%v~%d", m.ID, p.joins)
		}
		names[m.ID] = name
		out = append(out, &cluster.Member{Id: name, Host: host, Port: int32(port), Kinds: c.GetClusterKinds()})
	}
	p.names = names
	return out
}

// StartClient is called by protoactor: there are no clients.
func (p *Provider) StartClient(*cluster.Cluster) error {
	return errors.New("cluster: every node is a member")
}

// Shutdown is called by protoactor, or earlier: it leaves and deletes the key.
func (p *Provider) Shutdown(bool) error {
	if p.members == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	err := p.members.Leave(ctx)
	p.members.Close()
	return err
}
