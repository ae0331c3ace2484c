package nodes

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
)

// etcd loses its data: the nodes that run keep each other, register with the empty one, and take in a
// further node.
func TestEtcdLost(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.New(t)
	c := newCluster(t, 2, "--cluster=etcd://"+etcd.Endpoint()+"/lost")
	require.NoError(t, etcd.Crash())
	require.NoError(t, etcd.Forget())
	require.NoError(t, etcd.Resume())
	c.nodes = append(c.nodes, c.start("later"))
	c.counts(3)
	for _, s := range c.nodes[:2] {
		require.NotContains(t, s.Log(), "this node ends")
	}
}
