package persistence_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain also is the process that TestCrash kills, and otherwise makes sure that
// stores leave no goroutine behind.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" && os.Getenv(crashExchanges) != "" {
		exchangeForEver(path)
	} else if path != "" {
		commitForEver(path)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // tests that wait more than they compute
		panic(err)
	}
	code := m.Run()
	err := goleak.Find()
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); { // what ends may not have had its turn yet
		err = goleak.Find()
	}
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
