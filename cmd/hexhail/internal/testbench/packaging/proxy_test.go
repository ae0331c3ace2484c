package packaging

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodecerts"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
)

// proxyKinds are the proxies whose configurations ship, by program.
var proxyKinds = []string{"nginx", "haproxy"}

// program returns the path of a proxy; without it the test is skipped, or fails when
// HEXHAIL_REQUIRE_ALL is 1.
func program(t *testing.T, kind string) string {
	t.Helper()
	for _, name := range []string{kind, "/usr/sbin/" + kind} { // Debian's place, where only root looks
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is required here", kind)
	}
	t.Skipf("no %s", kind)
	return ""
}

// proxied is a proxy, as clients reach the servers behind it.
type proxied struct {
	*harness.Server
	client *http.Client // trusts its certificate
}

// proxyOptions say how a shipped configuration is changed for a test.
type proxyOptions struct {
	idle   time.Duration // in place of the minute after which it ends a silent socket; 0: the minute
	secure bool          // the lines with TLS
}

// behindProxy starts a proxy of a kind with its shipped configuration, before servers on this machine.
// The configuration's further nodes do not answer.
func behindProxy(t *testing.T, kind string, o proxyOptions, nodes ...*harness.Server) proxied {
	t.Helper()
	path := program(t, kind)
	for try := 0; ; try++ {
		p, said, ok := tryProxy(t, kind, path, o, nodes)
		if ok {
			return p
		}
		require.Less(t, try, 3, "%s does not start: %s", kind, said) // its port may have been taken since
	}
}

func tryProxy(t *testing.T, kind, path string, o proxyOptions, nodes []*harness.Server) (p proxied, said string, ok bool) {
	t.Helper()
	dir, at := t.TempDir(), harness.FreeAddress(t)
	through := *nodes[0]
	scheme := "http"
	client := &http.Client{}
	certificate := ""
	if o.secure {
		scheme = "https"
		certificate, client.Transport = newCertificate(t, dir)
	}
	through.HTTP, through.WS = scheme+"://"+at, strings.Replace(scheme, "http", "ws", 1)+"://"+at+"/v1/ws"
	const dead = "127.0.0.1:1" // nothing listens there, and the system never hands this port out
	for i := range 3 {
		node := dead
		if i < len(nodes) {
			node = strings.TrimPrefix(nodes[i].HTTP, "http://")
		}
		at += fmt.Sprintf(" %s", node)
	}
	addresses := strings.Fields(at)
	var file string
	var args []string
	if kind == "nginx" {
		file = nginxFile(t, dir, addresses, o, certificate)
		args = []string{path, "-p", dir, "-e", dir + "/error.log", "-c", file, "-g", "daemon off; master_process off; pid " + dir + "/pid;"}
	} else {
		file = haproxyFile(t, dir, addresses, o, certificate)
		args = []string{path, "-db", "-f", file}
	}
	output := &harness.Buffer{}
	// The shell ends the proxy with this process, however that ends.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `"$@" </dev/null & cat >/dev/null; kill -9 $!; wait`, "sh"}, args...)...)
	cmd.Stdout, cmd.Stderr = output, output
	stop, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	end := func() {
		_ = stop.Close()
		_ = cmd.Wait() // it is killed
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		answer, err := client.Get(through.HTTP + "/healthz")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			t.Cleanup(end)
			return proxied{&through, client}, "", true
		}
	}
	end()
	log, _ := os.ReadFile(dir + "/error.log") // nginx's alone
	return proxied{}, output.String() + string(log), false
}

// newCertificate makes a certificate for this machine in tls.pem and tls.key, and a transport that
// trusts it. tls.both has the certificate and then the key.
func newCertificate(t *testing.T, dir string) (base string, trusting http.RoundTripper) {
	t.Helper()
	valid, now := nodecerts.Validity{}, time.Now()
	require.NoError(t, valid.UnmarshalText([]byte("90d")))
	_, err := nodecerts.Init(dir, valid, nodecerts.Permit{}, now)
	require.NoError(t, err)
	ca, err := nodecerts.Open(dir)
	require.NoError(t, err)
	valid = nodecerts.Validity{}
	require.NoError(t, valid.UnmarshalText([]byte("1d")))
	made, err := ca.Issue([]string{"127.0.0.1"}, valid, false, now)
	require.NoError(t, err)
	base = filepath.Join(dir, "tls")
	certificate, err := os.ReadFile(made.File)
	require.NoError(t, err)
	key, err := os.ReadFile(made.KeyFile)
	require.NoError(t, err)
	for ext, content := range map[string][]byte{".pem": certificate, ".key": key, ".both": append(certificate, key...)} {
		require.NoError(t, os.WriteFile(base+ext, content, 0o600))
	}
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(dir + "/ca.pem")
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(authority))
	return base, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
}

// edit replaces each text of a shipped configuration, which must be there.
func edit(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// nginxFile writes the shipped configuration for addresses of this machine: where it listens, and the
// nodes.
func nginxFile(t *testing.T, dir string, at []string, o proxyOptions, certificate string) string {
	t.Helper()
	text := edit(t, read(t, "deploy/proxy/nginx.conf"),
		"node-1:8080", at[1], "node-2:8080", at[2], "node-3:8080", at[3],
		"worker_rlimit_nofile 262144;\n", "", "worker_connections 65536;", "worker_connections 512;",
		"\nhttp {\n", "\nhttp {\nclient_body_temp_path "+dir+"/body;\nproxy_temp_path "+dir+"/proxy;\n"+
			"fastcgi_temp_path "+dir+"/f;\nuwsgi_temp_path "+dir+"/u;\nscgi_temp_path "+dir+"/s;\n")
	if o.secure {
		text = edit(t, text, "        listen 8080;\n", "", "# listen 443 ssl;", "listen "+at[0]+" ssl;",
			"# ssl_certificate /etc/hexhail/tls.pem;", "ssl_certificate "+certificate+".pem;",
			"# ssl_certificate_key /etc/hexhail/tls.key;", "ssl_certificate_key "+certificate+".key;")
	} else {
		text = edit(t, text, "listen 8080;", "listen "+at[0]+";")
	}
	if o.idle > 0 {
		text = edit(t, text, "proxy_read_timeout 60s;", fmt.Sprintf("proxy_read_timeout %dms;", o.idle.Milliseconds()),
			"proxy_send_timeout 60s;", fmt.Sprintf("proxy_send_timeout %dms;", o.idle.Milliseconds()))
	}
	return write(t, dir+"/nginx.conf", text)
}

// haproxyFile is nginxFile for HAProxy.
func haproxyFile(t *testing.T, dir string, at []string, o proxyOptions, certificate string) string {
	t.Helper()
	text := edit(t, read(t, "deploy/proxy/haproxy.cfg"),
		"node-1:8080", at[1], "node-2:8080", at[2], "node-3:8080", at[3], "maxconn 100000", "maxconn 500",
		"check inter 1s fall 2", "check inter 1s fall 30") // a busy machine answers late
	if o.secure {
		text = edit(t, text, "    bind :8080\n", "", "# bind :443 ssl crt /etc/hexhail/tls.pem", "bind "+at[0]+" ssl crt "+certificate+".both")
	} else {
		text = edit(t, text, "bind :8080", "bind "+at[0])
	}
	if o.idle > 0 {
		text = edit(t, text, "timeout tunnel 60s", fmt.Sprintf("timeout tunnel %dms", o.idle.Milliseconds()))
	}
	return write(t, dir+"/haproxy.cfg", text)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// The shipped times after which a silent socket is cut leave room for several pings.
func TestProxiesWaitForPings(t *testing.T) {
	ping := regexp.MustCompile("\\| `socket-ping-interval` \\| `(\\S+)`").FindStringSubmatch(read(t, "docs/configuration.md"))
	require.NotNil(t, ping)
	interval, err := time.ParseDuration(ping[1])
	require.NoError(t, err)
	for file, setting := range map[string]string{
		"nginx.conf": `(?m)^ *proxy_(?:read|send)_timeout (\S+);$`, "haproxy.cfg": `(?m)^ *timeout (?:client|server|tunnel) (\S+)$`,
	} {
		found := regexp.MustCompile(setting).FindAllStringSubmatch(read(t, "deploy/proxy/"+file), -1)
		require.GreaterOrEqual(t, len(found), 2)
		for _, m := range found {
			d, err := time.ParseDuration(m[1])
			require.NoError(t, err)
			require.Greater(t, d, 3*interval, "%s: %s", file, m[0])
		}
	}
}
