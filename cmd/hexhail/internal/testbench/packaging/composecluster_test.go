package packaging

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/actors/cluster/registry"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
)

func TestMain(m *testing.M) { harness.Main(m, 8) }

var composeNodes = []string{"node-1", "node-2", "node-3"}

// The profile "cluster" beside the one server: equal nodes, their registry, and a balancer that they
// trust.
func TestComposeRunsACluster(t *testing.T) {
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c))
	one := c.Services["hexhail"]
	balancer := c.Services["balancer"]
	for name, s := range c.Services {
		if name != "hexhail" && name != "db" {
			require.Equal(t, []string{"cluster"}, s.Profiles, name)
		}
	}
	trusted := netip.Prefix{}
	for _, name := range composeNodes {
		n := c.Services[name]
		set := n.Environment
		require.Equal(t, one.Environment["HEXHAIL_DATABASE_URL"], set["HEXHAIL_DATABASE_URL"], "the one server's database")
		require.Equal(t, "/data/signing-key.pem", set["HEXHAIL_SIGNING_KEY_FILE"])
		require.Contains(t, n.Volumes, one.Volumes[0], "the one server's signing key")
		require.Equal(t, name, set["HEXHAIL_NODE_NAME"])
		require.Equal(t, name, set["HEXHAIL_OPS_ALLOWED_HOSTS"])
		host, _, err := net.SplitHostPort(set["HEXHAIL_ADVERTISE"])
		require.NoError(t, err)
		require.Equal(t, name, host)
		require.Equal(t, one.StopGrace, n.StopGrace)
		require.Equal(t, one.ReadOnly, n.ReadOnly)
		require.Equal(t, one.CapDrop, n.CapDrop)
		require.Equal(t, "unless-stopped", n.Restart)
		require.Empty(t, n.Ports, "clients go through the balancer")
		trusted = netip.MustParsePrefix(set["HEXHAIL_TRUSTED_PROXIES"])

		reg, err := registry.ParseURL(set["HEXHAIL_CLUSTER"])
		require.NoError(t, err)
		etcd, port, err := net.SplitHostPort(reg.Endpoints[0])
		require.NoError(t, err)
		require.Contains(t, c.Services[etcd].Command, "--listen-client-urls=http://0.0.0.0:"+port)
		require.Contains(t, read(t, "deploy/proxy/haproxy.cfg"), "server "+name+" "+name+":8080\n")
	}
	require.Equal(t, composeNodes, c.Services["certificates"].Command)

	var networks struct {
		Nodes struct {
			Address netip.Addr `yaml:"ipv4_address"`
		}
	}
	require.NoError(t, balancer.Networks.Decode(&networks))
	require.Equal(t, netip.PrefixFrom(networks.Nodes.Address, 32), trusted)
	require.True(t, c.Networks["nodes"].IPAM.Config[0].Subnet.Contains(networks.Nodes.Address))
	require.Equal(t, one.Ports, balancer.Ports, "clients find both at one address")
	require.Contains(t, balancer.Volumes, "./deploy/proxy/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro")
	_, port, _ := strings.Cut(strings.TrimPrefix(balancer.Ports[0], "127.0.0.1:"), ":")
	require.Contains(t, read(t, "deploy/proxy/haproxy.cfg"), "bind :"+port+"\n")
	require.Equal(t, "SIGUSR1", balancer.StopSignal)
	var depends []string
	require.NoError(t, balancer.DependsOn.Decode(&depends))
	for name, s := range c.Services {
		if len(s.Profiles) > 0 && name != "balancer" && name != "certificates" {
			require.Contains(t, depends, name, "the command in the file's first lines starts everything")
		}
	}
}

// The one-shot service makes certificates that each node can use, keeps the CA, and renews.
func TestComposeMakesCertificates(t *testing.T) {
	root := t.TempDir()
	for _, folder := range append([]string{"ca"}, composeNodes...) {
		if folder != "ca" {
			folder = "certs/" + folder
		}
		require.NoError(t, os.MkdirAll(filepath.Join(root, folder), 0o700))
	}
	script, err := filepath.Abs(repository + "/deploy/compose/certificates.sh")
	require.NoError(t, err)
	run := func() {
		said, err := shell(t, root, "ROOT="+root)("sh " + script + " " + strings.Join(composeNodes, " ")).CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	file := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		return string(b)
	}
	run()
	ca, first := file("ca/ca.pem"), file("certs/node-1/node.pem")
	for _, node := range composeNodes {
		dir := filepath.Join(root, "certs", node)
		require.Equal(t, ca, file("certs/"+node+"/ca.pem"))
		_, err := nodetls.New(nodetls.Options{
			Files:     nodetls.Files{Certificate: dir + "/node.pem", Key: dir + "/node.key", CA: dir + "/ca.pem"},
			Advertise: node + ":7070",
		})
		require.NoError(t, err)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 3, "a node needs no other file")
	}
	run()
	require.Equal(t, ca, file("ca/ca.pem"))
	require.NotEqual(t, first, file("certs/node-1/node.pem"))
}

// The first lines of docker-compose.yml are commands that Compose takes.
func TestComposeNamesServicesThatExist(t *testing.T) {
	text := read(t, "docker-compose.yml")
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(text), &c))
	names := regexp.MustCompile(`(?m)^#   docker compose (?:--profile cluster )?(?:up .*|stop|exec|run) (\S+?)(?: hexhail .*)?$`).FindAllStringSubmatch(text, -1)
	require.GreaterOrEqual(t, len(names), 4)
	for _, m := range names {
		if !strings.HasPrefix(m[1], "--") {
			require.Contains(t, c.Services, m[1])
		}
	}
}
