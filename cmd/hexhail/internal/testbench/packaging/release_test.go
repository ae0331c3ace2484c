package packaging

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stand-in for go, which would take minutes: it notes how it is called, and "builds".
const standIn = `#!/bin/sh
case $1 in
build) echo "$GOARCH $CC $*" >>"$LOG"; while [ "$1" != -o ]; do shift; done; echo "program $GOARCH" >"$2" ;;
version) printf 'x\n\tmod\tgithub.com/hexhail/hexhail\t%s\t\n\tbuild\tGOARCH=%s\n\tbuild\tvcs.revision=%s\n\tbuild\tvcs.modified=false\n' \
  "$VERSION" "$(cut -d' ' -f2 "$3")" "$(git rev-parse HEAD)" ;;
run) echo "{\"serialNumber\":\"$$\",\"metadata\":{\"timestamp\":\"$$\"},\"bomFormat\":\"CycloneDX\"}" ;;
esac
`

// A stand-in for npm, which needs versions.
const npmStandIn = `#!/bin/sh
test "$(jq -r .version app/package.json)" = 1.2.3 && echo "{\"serialNumber\":$$,\"bomFormat\":\"CycloneDX\"}"
`

// releasing is a small repository with the recipe, and stand-ins for its tools.
type releasing struct {
	t        *testing.T
	dir, bin string
}

func newReleasing(t *testing.T) releasing {
	for _, tool := range []string{"git", "bash", "jq", "tar", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	r := releasing{t, t.TempDir(), t.TempDir()}
	write := func(path, text string, mode os.FileMode) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
	}
	for _, file := range []string{"deploy/release.sh", "deploy/systemd/hexhail.service", "deploy/systemd/hexhail@.service", "deploy/helm/hexhail/Chart.yaml", "LICENSE", "NOTICE", "CHANGELOG.md", "web/package.json", "web/package-lock.json", "web/app/package.json"} {
		write(filepath.Join(r.dir, file), read(t, file), 0o700)
	}
	write(filepath.Join(r.bin, "go"), standIn, 0o700)
	write(filepath.Join(r.bin, "npm"), npmStandIn, 0o700)
	r.git("init", "--quiet")
	r.git("add", ".")
	r.git("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=one")
	return r
}

func (r releasing) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	said, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s", said)
}

// run runs the recipe and returns where its files are, and what it printed.
func (r releasing) run(version string) (out, said string, err error) {
	r.t.Helper()
	out = r.t.TempDir()
	cmd := exec.Command("bash", filepath.Join(r.dir, "deploy/release.sh"), out)
	cmd.Env = append(os.Environ(), "PATH="+r.bin+":"+os.Getenv("PATH"), "LOG="+filepath.Join(r.bin, "log"), "VERSION="+version)
	text, err := cmd.CombinedOutput()
	return out, string(text), err
}

// The recipe makes what it says, the same each time, from a tag alone.
func TestReleaseRecipe(t *testing.T) {
	t.Parallel()
	r := newReleasing(t)
	_, said, err := r.run("v1.2.3")
	require.Error(t, err)
	require.Contains(t, said, "has no tag")
	r.git("-c", "tag.gpgsign=false", "tag", "v1.2.3")
	_, said, err = r.run("v1.2.2")
	require.Error(t, err)
	require.Contains(t, said, "is not of version v1.2.3")

	first, said, err := r.run("v1.2.3")
	require.NoError(t, err, said)
	second, _, err := r.run("v1.2.3")
	require.NoError(t, err)
	names := []string{
		"SHA256SUMS", "hexhail-chart-1.2.3.tgz", "hexhail-v1.2.3-linux-amd64.cdx.json", "hexhail-v1.2.3-linux-amd64.tar.gz",
		"hexhail-v1.2.3-linux-arm64.cdx.json", "hexhail-v1.2.3-linux-arm64.tar.gz", "hexhail-v1.2.3-web.cdx.json",
	}
	sums, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	require.NoError(t, err)
	entries, err := os.ReadDir(first)
	require.NoError(t, err)
	require.Len(t, entries, len(names))
	for _, name := range names {
		one, err := os.ReadFile(filepath.Join(first, name))
		require.NoError(t, err)
		two, err := os.ReadFile(filepath.Join(second, name))
		require.NoError(t, err)
		require.Equal(t, one, two, "%s differs each time", name)
		if name != "SHA256SUMS" {
			require.Contains(t, string(sums), fmt.Sprintf("%x  %s\n", sha256.Sum256(one), name))
		}
	}
	listed, err := exec.Command("tar", "-tzf", filepath.Join(first, names[3])).Output()
	require.NoError(t, err)
	for _, file := range []string{"hexhail", "LICENSE", "NOTICE", "systemd/hexhail@.service"} {
		require.Contains(t, string(listed), "hexhail-v1.2.3-linux-amd64/"+file+"\n")
	}
	chart, err := exec.Command("tar", "-xzOf", filepath.Join(first, names[1]), "hexhail/Chart.yaml").Output()
	require.NoError(t, err)
	require.Contains(t, string(chart), "\nversion: 1.2.3\nappVersion: \"v1.2.3\"\n")

	built, err := os.ReadFile(filepath.Join(r.bin, "log"))
	require.NoError(t, err)
	for _, want := range []string{"amd64 x86_64-linux-gnu-gcc build", "arm64 aarch64-linux-gnu-gcc build", "-trimpath", "-buildvcs=true"} {
		require.Contains(t, string(built), want)
	}
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "LICENSE"), []byte("changed"), 0o600))
	_, said, err = r.run("v1.2.3")
	require.Error(t, err)
	require.Contains(t, strings.TrimSpace(said), "not committed")
}
