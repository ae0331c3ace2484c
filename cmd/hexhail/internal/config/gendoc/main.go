// Command gendoc writes docs/configuration.md from the configuration struct.
package main

import (
	"fmt"
	"os"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendoc FILE")
		os.Exit(2)
	}
	page, err := config.Reference()
	if err == nil {
		err = os.WriteFile(os.Args[1], page, 0o644) //nolint:gosec // a page of the manual is for everyone
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}
