package persistence_test

import (
	"flag"
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
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // tests that wait more than they compute
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
