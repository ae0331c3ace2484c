package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a node needs is asked for at the start, and what would make half a cluster is refused.
func TestClusterSettings(t *testing.T) {
	node := []string{
		"--cluster=etcd://user:hunter2@127.0.0.1:2379/x", "--advertise=10.0.0.1:7000", "--database-url=postgres://db/x", "--signing-key-file=key.pem",
	}
	certs := []string{"--cluster-cert=a", "--cluster-key=b", "--cluster-ca=c"}
	with := func(more ...string) []string { return append(append([]string(nil), node...), more...) }
	without := func(i int) []string { return append(append([]string(nil), node[:i]...), node[i+1:]...) }
	for name, x := range map[string]struct {
		args []string
		key  string // of the problem; empty: none
	}{
		"alone":                    {nil, ""},
		"a node":                   {with(certs...), ""},
		"on one machine":           {with(), ""},
		"SQLite":                   {without(2), "cluster"},
		"no key":                   {without(3), "cluster"},
		"no address":               {without(1), "advertise"},
		"no port":                  {with("--advertise=10.0.0.1"), "advertise"},
		"no host":                  {with("--advertise=:7000"), "advertise"},
		"half a certificate":       {with(certs[:2]...), "cluster-cert"},
		"a part of a second":       {with("--cluster-lease=3500ms"), "cluster-lease"},
		"alone is not longer":      {with("--cluster-silence=6s"), "cluster-alone"},
		"an address without":       {[]string{"--advertise=10.0.0.1:7000"}, "advertise"},
		"a certificate without":    {certs, "cluster-cert"},
		"another listener without": {[]string{"--cluster-listen=:7000"}, "cluster-listen"},
	} {
		_, _, err := parse(t, x.args, nil)
		if x.key == "" {
			require.NoError(t, err, name)
			continue
		}
		var got Problems
		require.ErrorAs(t, err, &got, name)
		require.True(t, got.mention(x.key), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// Commands beside the nodes do without the address of one, and refuse all else that a node refuses.
func TestCommandsBesideNodes(t *testing.T) {
	shell := []string{"--cluster=etcd://127.0.0.1:2379/x", "--database-url=postgres://db/x", "--signing-key-file=key.pem"}
	for _, x := range []struct {
		args []string
		fine bool
	}{{nil, true}, {shell, true}, {append(shell, "--advertise=10.0.0.1"), false}, {shell[:2], false}} {
		c, source, _ := parse(t, x.args, nil)
		require.Equal(t, x.fine, source.CompleteBeside(c) == nil, "%v", x.args)
	}
}

func TestWhereANodeListens(t *testing.T) {
	for _, x := range []struct {
		c    Cluster
		want string
	}{
		{Cluster{Advertise: "10.0.0.1:7000", Cert: "a"}, ":7000"},
		{Cluster{Advertise: "127.0.0.1:7000"}, "127.0.0.1:7000"},
		{Cluster{Advertise: "a.example:7000", Listen: "10.0.0.1:7001", Cert: "a"}, "10.0.0.1:7001"},
	} {
		require.Equal(t, x.want, x.c.ListenAddress())
	}
	require.Equal(t, "n1", Cluster{Node: "n1"}.NodeName())
	require.NotEmpty(t, Cluster{}.NodeName())
}
