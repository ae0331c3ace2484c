package clientaddr

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUntrusted: an untrusted peer that names a client is reported.
func TestUntrusted(t *testing.T) {
	var told []netip.Addr
	f := Finder{
		Trusted:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Untrusted: func(peer netip.Addr) { told = append(told, peer) },
	}
	for peer, xff := range map[string]string{"10.0.0.1:1": "198.51.100.7", "192.0.2.1:1": "", "@": "198.51.100.7", "172.17.0.1:1": "198.51.100.7"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		if xff != "" {
			r.Header.Set("X-Forwarded-For", xff)
		}
		f.Of(r)
	}
	require.Equal(t, []netip.Addr{netip.MustParseAddr("172.17.0.1")}, told)
}

func TestOf(t *testing.T) {
	f := Finder{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for name, c := range map[string]struct {
		peer string
		xff  []string
		want string
	}{
		"no proxy":                   {"192.0.2.1:1234", nil, "192.0.2.1"},
		"a stranger's word":          {"192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		"our proxy":                  {"10.0.0.1:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"our proxies, forged before": {"10.0.0.1:1", []string{"1.1.1.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"two headers":                {"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.7"}, "198.51.100.7"},
		"garbage at the end":         {"10.0.0.1:1", []string{"198.51.100.7, <script>"}, "10.0.0.1"},
		"our proxy says nothing":     {"10.0.0.1:1", nil, "10.0.0.1"},
		"IPv6":                       {"[fd00::1]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		"mapped IPv4":                {"[::ffff:10.0.0.1]:1", []string{"198.51.100.7:55"}, "198.51.100.7"},
		"no network":                 {"@", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			for _, v := range c.xff {
				r.Header.Add("X-Forwarded-For", v)
			}
			require.Equal(t, c.want, f.Of(r))
		})
	}
}
