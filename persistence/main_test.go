package persistence_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also is the process that TestCrash kills, and otherwise makes sure that
// stores leave no goroutine behind.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		commitForEver(path)
	}
	goleak.VerifyTestMain(m)
}
