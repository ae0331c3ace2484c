package outfile

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder has a complete file, partial, that wants the name path.
func folder(t *testing.T) (partial, path string) {
	t.Helper()
	dir := t.TempDir()
	partial, path = filepath.Join(dir, ".partial"), filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(partial, []byte("ours"), 0o600))
	return partial, path
}

func requireContent(t *testing.T, path, want string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(b))
}

func TestPublish(t *testing.T) {
	partial, path := folder(t)
	require.NoError(t, Publish(partial, path, false))
	requireContent(t, path, "ours")
	require.NoFileExists(t, partial)

	require.NoError(t, os.WriteFile(partial, []byte("newer"), 0o600))
	require.ErrorIs(t, Publish(partial, path, false), ErrExists)
	requireContent(t, path, "ours")
	require.NoError(t, Publish(partial, path, true))
	requireContent(t, path, "newer")
	require.NoFileExists(t, partial)
}

// TestPublishReplacesNoNewcomer: a file that comes between the look and the move stays, also where
// the file system has no links.
func TestPublishReplacesNoNewcomer(t *testing.T) {
	for name, then := range map[string]func(from, to string) error{
		"links": os.Link, "no links": func(string, string) error { return errors.ErrUnsupported },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { link = os.Link }()
			partial, path := folder(t)
			link = then
			require.NoError(t, Publish(partial, path, false))
			requireContent(t, path, "ours")
			require.NoFileExists(t, partial)

			partial, path = folder(t)
			link = func(from, to string) error {
				require.NoError(t, os.WriteFile(to, []byte("theirs"), 0o600))
				return then(from, to)
			}
			require.ErrorIs(t, Publish(partial, path, false), ErrExists)
			requireContent(t, path, "theirs")
			requireContent(t, partial, "ours")
		})
	}
}

// TestOnlyRegularFilesAreReplaced: a root's export to /dev/null must not put a file there.
func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	want := map[string]string{"link": "is not a regular file", "socket": "is not a regular file", "folder": "is a directory"}
	for name, put := range map[string]func(t *testing.T, path string){
		"link": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Symlink(os.DevNull, path))
		},
		"folder": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Mkdir(path, 0o700))
		},
		"socket": func(t *testing.T, path string) {
			t.Helper()
			l, err := net.Listen("unix", path)
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			partial, path := folder(t)
			put(t, path)
			before, err := os.Lstat(path)
			require.NoError(t, err)
			for _, force := range []bool{false, true} {
				require.ErrorContains(t, Free(path, force), want[name])
				require.ErrorContains(t, Publish(partial, path, force), want[name])
			}
			after, err := os.Lstat(path)
			require.NoError(t, err)
			require.True(t, os.SameFile(before, after))
		})
	}
}
