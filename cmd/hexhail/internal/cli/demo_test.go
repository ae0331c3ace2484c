package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func TestPageOf(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8080":    "http://127.0.0.1:8080/",
		"http://[::]:8080":         "http://127.0.0.1:8080/",
		"https://0.0.0.0:443":      "https://127.0.0.1:443/",
		"http://[::1]:8080":        "http://[::1]:8080/",
		"https://rides.example:99": "https://rides.example:99/",
	} {
		require.Equal(t, want, pageOf(base))
	}
}

func TestPrivate(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:8080": true, "[::1]:0": true, "127.8.0.1:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.0.2.1:80": false, "rides.example:80": false, "8080": false,
	} {
		require.Equal(t, want, private(listen), listen)
	}
}

func TestDemoPasswordStaysWithTheData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first, err := demoPassword(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(first), 8)
	again, err := demoPassword(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(filepath.Join(dir, "demo-password"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	_, err = demoPassword(filepath.Join(dir, "demo-password"))
	require.Error(t, err, "a file is not a directory")
}

func TestDemoClasses(t *testing.T) {
	d := &demoCmd{}
	d.Tariffs = ride.DefaultTariffs()
	counts := map[string]int{}
	for i := range 6 * rare {
		counts[d.class(i)]++
	}
	require.Equal(t, map[string]int{"standard": 6 * (rare - 1), "comfort": 3, "van": 3}, counts)
	d.Tariffs = d.Tariffs[:1]
	require.Equal(t, "standard", d.class(0))
}
