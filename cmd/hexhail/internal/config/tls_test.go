package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTLSSettings: what contradicts itself is one sentence at the start.
func TestTLSSettings(t *testing.T) {
	auto := func(more ...string) []string {
		return append([]string{"--tls-auto=rides.example.org,www.example.org", "--tls-auto-agree"}, more...)
	}
	for name, c := range map[string]struct {
		args []string
		want string // empty: fine
	}{
		"auto":           {auto("--public-url=https://rides.example.org", "--tls-auto-email=ops@example.org"), ""},
		"staging":        {auto("--tls-auto-directory=https://acme-staging-v02.api.letsencrypt.org/directory"), ""},
		"files":          {[]string{"--tls-cert=c.pem", "--tls-key=k.pem"}, ""},
		"half":           {[]string{"--tls-cert=c.pem"}, "tls-cert and tls-key are needed together"},
		"both":           {auto("--tls-cert=c.pem", "--tls-key=k.pem"), "remove tls-cert and tls-key, or tls-auto"},
		"no agreement":   {[]string{"--tls-auto=rides.example.org"}, "acme-v02.api.letsencrypt.org/directory requires you to agree to its terms"},
		"agreement only": {[]string{"--tls-auto-agree"}, "has no effect without tls-auto"},
		"e-mail only":    {[]string{"--tls-auto-email=ops@example.org"}, "has no effect without tls-auto"},
		"ca only":        {[]string{"--tls-auto-ca=ca.pem"}, "has no effect without tls-auto"},
		"cluster": {auto("--cluster=etcd://127.0.0.1:2379/x", "--advertise=127.0.0.1:0", "--database-url=postgres://127.0.0.1/x", "--signing-key-file=k.pem"),
			"nodes of a cluster do not share certificates"},
		"http":         {auto("--public-url=http://rides.example.org"), "must begin with https://"},
		"another host": {auto("--public-url=https://other.example.org"), "has the host other.example.org, which is missing in tls-auto"},
		"directory":    {auto("--tls-auto-directory=http://ca.example.org/directory"), "must be the https URL of an ACME directory"},
		"e-mail":       {auto("--tls-auto-email=Ops <ops@example.org>"), "must be an e-mail address"},
		"IPv4":         {[]string{"--tls-auto=192.0.2.1", "--tls-auto-agree"}, "not the IP address 192.0.2.1"},
		"IPv6":         {[]string{"--tls-auto=[2001:db8::1]", "--tls-auto-agree"}, "not the IP address [2001:db8::1]"},
		"empty":        {[]string{"--tls-auto=rides.example.org,,www.example.org", "--tls-auto-agree"}, "must not contain an empty hostname"},
		"wildcard":     {[]string{"--tls-auto=*.example.org", "--tls-auto-agree"}, "name each host"},
		"localhost":    {[]string{"--tls-auto=localhost", "--tls-auto-agree"}, "which no certificate authority can reach"},
		"port":         {[]string{"--tls-auto=rides.example.org:443", "--tls-auto-agree"}, "without scheme, port or path"},
		"URL":          {[]string{"--tls-auto=https://rides.example.org", "--tls-auto-agree"}, "without scheme, port or path"},
		"upper case":   {[]string{"--tls-auto=Rides.example.org", "--tls-auto-agree"}, "in lower case"},
		"one label":    {[]string{"--tls-auto=rides", "--tls-auto-agree"}, "such as rides.example.org"},
		"twice":        {[]string{"--tls-auto=a.example.org,a.example.org", "--tls-auto-agree"}, `names "a.example.org" twice`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := parse(t, c.args, nil)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var got Problems
			require.ErrorAs(t, err, &got)
			require.Len(t, got, 1, "%s", err)
			require.ErrorContains(t, err, c.want)
		})
	}
}
