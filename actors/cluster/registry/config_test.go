package registry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/membership"
)

func TestParseURL(t *testing.T) {
	c, err := ParseURL("etcd://a:2379,[::1]:2380/city/one?cacert=/ca.pem&cert=/c.pem&key=/k.pem")
	require.NoError(t, err)
	require.Equal(t, []string{"a:2379", "[::1]:2380"}, c.Endpoints)
	require.Equal(t, "/city/one/", c.Prefix)
	require.True(t, c.TLS)
	require.Equal(t, []string{"/ca.pem", "/c.pem", "/k.pem"}, []string{c.CACert, c.Cert, c.Key})
	require.Equal(t, []string{"https://a:2379", "https://[::1]:2380"}, c.urls())

	c, err = ParseURL("etcd://hexhail:p%40ss%2Fw@a:2379")
	require.NoError(t, err)
	require.Equal(t, "hexhail", c.Username)
	require.Equal(t, "p@ss/w", c.Password)
	require.Equal(t, DefaultConfig().Prefix, c.Prefix)
	require.Equal(t, []string{"http://a:2379"}, c.urls())

	c, err = ParseURL("etcd://a:2379?tls=true")
	require.NoError(t, err)
	require.True(t, c.TLS)
	require.Empty(t, c.CACert)

	for _, text := range []string{
		"", "http://a:2379", "etcd://", "etcd://a", "etcd://a:2379,", "etcd://:2379", "etcd://a:2379?x=1", "etcd://a:2379?cert=c",
		"etcd://a:2379?key=k", "etcd://user@a:2379", "etcd://a:2379?tls=no", "etcd://a:2379?tls=false&cacert=f", "etcd://a:2379/p#f",
		"etcd://u:secret%zz@a:2379", "etcd://u:secret@a b:2379/%zz",
	} {
		_, err := ParseURL(text)
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestFilesOfTLSAreReadAtTheStart(t *testing.T) {
	c, err := ParseURL("etcd://a:2379?cacert=/missing.pem")
	require.NoError(t, err)
	_, err = Start(c, membership.Member{ID: membership.ID{Node: "a", Incarnation: "1"}}, nil)
	require.ErrorContains(t, err, "missing.pem")
}
