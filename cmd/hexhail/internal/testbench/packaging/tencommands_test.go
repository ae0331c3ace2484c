package packaging

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// tenCommands are the commands of the manual that make three nodes of one server.
func tenCommands(t *testing.T) (commands []string) {
	t.Helper()
	_, section, ok := strings.Cut(read(t, "docs/cluster.md"), "\n### From one node to three in ten commands\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n### ")
	continued := false
	for line := range strings.Lines(section) {
		line, indented := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		switch {
		case !indented:
			continue
		case continued:
			commands[len(commands)-1] += "\n" + line
		default:
			commands = append(commands, line)
		}
		continued = strings.HasSuffix(line, `\`)
	}
	require.Len(t, commands, 10)
	return commands
}

// The commands of the manual, as they are there except for ports, the etcd and the server's end, make a
// cluster of three nodes in which log-ins from before count.
func TestTenCommands(t *testing.T) {
	t.Parallel()
	etcd, database, dir := etcdtest.New(t), pgtest.Start(t), t.TempDir()
	commands := tenCommands(t)
	require.Contains(t, commands[1], "stop hexhail")
	require.Contains(t, commands[2], "etcd ")
	require.Contains(t, commands[9], "cluster status")

	data := filepath.Join(dir, "hexhail-data")
	require.NoError(t, os.Mkdir(data, 0o700))
	one := harness.Start(t, harness.Options{Child: true, Dir: data, Flags: []string{"--database-url=" + database}})
	before := one.SignUp(t, ride.RoleRider, "anna").Tokens.Access

	ports := []string{"127.0.0.1:2379", etcd.Endpoint()}
	for _, port := range []string{"7001", "7002", "7003", "8081", "8082", "8083", "9091", "9092", "9093"} {
		ports = append(ports, "127.0.0.1:"+port, harness.FreeAddress(t))
	}
	free := strings.NewReplacer(ports...)
	sh := shell(t, dir, "HEXHAIL_DATABASE_URL="+database,
		// Of a busy machine; the manual's limits are those of a quiet one.
		"HEXHAIL_CLUSTER_LEASE=12s", "HEXHAIL_CLUSTER_SILENCE=8s", "HEXHAIL_CLUSTER_ALONE=24s", "HEXHAIL_CLUSTER_WITHOUT_DATABASE=20s",
		"HEXHAIL_DATABASE_CONNS=8", "HEXHAIL_SHUTDOWN_GRACE=1m")
	said, err := sh(commands[0]).CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.NoError(t, one.Stop())
	said, err = sh(strings.Join(commands[3:5], "\n")).CombinedOutput()
	require.NoError(t, err, "%s", said)

	// The nodes end with the shell, which ends with this process. They are a group of their own.
	nodes := sh(free.Replace(strings.Join(commands[5:9], "\n")) + "\ntrap '' TERM; cat >/dev/null; kill 0; wait")
	nodes.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stop, err := nodes.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, nodes.Start())
	t.Cleanup(func() {
		_ = stop.Close()
		_ = nodes.Wait()
		for _, name := range []string{"a.log", "b.log", "c.log"} {
			if log, err := os.ReadFile(filepath.Join(dir, name)); t.Failed() && err == nil {
				t.Logf("%s:\n%s", name, log)
			}
		}
	})
	for _, of := range []string{"9091", "9092", "9093"} {
		status := free.Replace("hexhail cluster status --json --ops 127.0.0.1:" + of)
		harness.Until(t, "three members", func() bool {
			said, err := sh(status).Output()
			var s struct{ Members []struct{ Node string } }
			return err == nil && json.Unmarshal(said, &s) == nil && len(s.Members) == 3
		})
	}
	for _, of := range []string{"8081", "8082", "8083"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, free.Replace("http://127.0.0.1:"+of+"/v1/me"), nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+before)
		harness.Until(t, "an answer", func() bool {
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			if answer.StatusCode == http.StatusServiceUnavailable { // a slow database
				return false
			}
			require.Equal(t, http.StatusOK, answer.StatusCode)
			return true
		})
	}
	said, err = sh(free.Replace(commands[5]) + "\nhexhail admin list --role=any && hexhail backup after.backup && hexhail migrate status").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "anna")
	table, err := sh(free.Replace(commands[9])).CombinedOutput()
	require.NoError(t, err, "%s", table)
	require.Contains(t, string(table), "\na  ")
}

// shell returns what makes commands of a shell in a directory, for which hexhail is this program.
func shell(t *testing.T, dir string, env ...string) func(script string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "hexhail")))
	return func(script string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-ec", script)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), harness.ChildEnv+"=1", "PATH="+bin+":"+os.Getenv("PATH")), env...)
		return cmd
	}
}
