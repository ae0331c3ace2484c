package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
)

func TestBackupCommand(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "backup", "file"), s.err.String())
	require.Contains(t, s.out.String(), "The backup was written to file and read again, 1.5 MiB in 1.5s.")
	require.Contains(t, s.out.String(), "schema 3: 2 accounts, 1 trip, 0 photos")
	require.Contains(t, s.out.String(), "only you can read it")
	require.NotContains(t, s.err.String(), "copying", "there is no terminal")
	require.Equal(t, exitOK, s.run(t, "backup", "--force", "file"))
	s.noKey = true
	require.Equal(t, exitOK, s.run(t, "backup", "other"))
	require.Contains(t, s.out.String(), "no signing key")
	require.Equal(t, []string{"backup file", "backup file by force", "backup other"}, s.events)

	require.NotContains(t, s.out.String(), "It needs a program")
	s.newer = true
	require.Equal(t, exitOK, s.run(t, "backup", "newer"))
	require.Contains(t, s.out.String(), fmt.Sprintf("It needs a program that knows schema 9998 or newer; this one knows schema %d.", persistence.NewestSchema()))

	s = newStage()
	require.Equal(t, exitOK, s.run(t, "backup", "-"))
	require.Equal(t, "archive", s.out.String(), "words would spoil it")
	require.Contains(t, s.err.String(), "The backup was written")
	require.Equal(t, exitUsage, s.run(t, "backup"))
}

func TestRestoreCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, os.WriteFile(file, []byte("saved"), 0o600))
	s := newStage()
	s.stdin, s.replaced = "piped", []string{"/data/hexhail.db.replaced-1"}
	require.Equal(t, exitOK, s.run(t, "restore", file))
	require.Contains(t, s.out.String(), "kept in /data/hexhail.db.replaced-1")
	require.Contains(t, s.out.String(), "hexhail serve")
	require.Equal(t, exitOK, s.run(t, "restore", "--force", "-"))
	require.Equal(t, exitOK, s.run(t, "restore", "--check", file))
	require.Contains(t, s.out.String(), "The backup is whole")
	require.Equal(t, []string{"restore saved", "restore piped by force", "check saved"}, s.events)
	require.Equal(t, exitFailed, s.run(t, "restore", file+".none"))
}
