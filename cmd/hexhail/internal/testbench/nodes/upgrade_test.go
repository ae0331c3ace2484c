package nodes

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
)

// newerVersion is what the program of the next version calls itself.
const newerVersion = "v999.0.0-next"

// expanding is its migration, which only adds.
const expanding = `-- +goose Up
ALTER TABLE trips ADD COLUMN of_a_newer_version TEXT NOT NULL DEFAULT '';
CREATE TABLE of_a_newer_version (id BIGINT PRIMARY KEY);

-- +goose Down
DROP TABLE of_a_newer_version;
ALTER TABLE trips DROP COLUMN of_a_newer_version;
`

// newerProgram builds the program of the next version: this tree with one more migration, which is only in
// an overlay of the build.
func newerProgram(t *testing.T) (path string) {
	t.Helper()
	compiler, err := exec.LookPath("go")
	if err != nil {
		if os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("the next version is built with the go command, which is not installed")
	}
	dir := t.TempDir()
	root, err := filepath.Abs("../../../../..")
	require.NoError(t, err)
	name := fmt.Sprintf("%05d_of_a_newer_version.sql", persistence.NewestSchema()+1)
	migration, overlay := filepath.Join(dir, name), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(migration, []byte(expanding), 0o600))
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "persistence", "migrations", name): migration}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	path = filepath.Join(dir, "hexhail")
	cmd := exec.CommandContext(t.Context(), compiler, "build", "-overlay="+overlay, "-o="+path,
		"-ldflags=-X github.com/hexhail/hexhail/cmd/hexhail/internal/cli.version="+newerVersion, "./cmd/hexhail")
	cmd.Dir = root
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return path
}

// versions are how many members run the newer program and this one, as a node knows them.
func versions(t *testing.T, of *harness.Server) (newer, this int) {
	t.Helper()
	for _, m := range status(t, of).Members {
		if strings.HasPrefix(m.Version, newerVersion) {
			newer++
		} else {
			this++
		}
	}
	return newer, this
}

// requireSchema asserts the newest migration of a cluster's database.
func (c *cluster) requireSchema(version int64) {
	c.t.Helper()
	db := c.connect()
	defer func() { require.NoError(c.t, db.Close(c.t.Context())) }()
	var newest int64
	require.NoError(c.t, db.QueryRow(c.t.Context(), `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`).Scan(&newest))
	require.Equal(c.t, version, newest)
}

// contract says, as a contracting migration does, that programs must know the newer version's schema.
func (c *cluster) contract() {
	c.t.Helper()
	db := c.connect()
	defer func() { require.NoError(c.t, db.Close(c.t.Context())) }()
	_, err := db.Exec(c.t.Context(), `UPDATE schema_compat SET oldest = $1`, persistence.NewestSchema()+1)
	require.NoError(c.t, err)
}

func (c *cluster) connect() *pgx.Conn {
	c.t.Helper()
	for _, f := range c.flags {
		if url, ok := strings.CutPrefix(f, "--database-url="); ok {
			db, err := pgx.Connect(c.t.Context(), url)
			require.NoError(c.t, err)
			return db
		}
	}
	c.t.Fatal("the cluster has no database")
	return nil
}
