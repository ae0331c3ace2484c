package pgtest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSchemasAreApart: each Start is an empty place of its own.
func TestSchemasAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	require.NotEqual(t, a, b)
	require.NoError(t, run(a, "CREATE TABLE x (y TEXT)"))
	require.Error(t, run(b, "SELECT * FROM x"))
	require.NoError(t, run(b, "CREATE TABLE x (y TEXT)"))
}
