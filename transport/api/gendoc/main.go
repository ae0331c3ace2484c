// Gendoc writes the OpenAPI document to a file: gendoc docs/openapi.json. Clients are
// generated from that file, so that they need no running server.
package main

import (
	"fmt"
	"os"

	"github.com/hexhail/hexhail/transport/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the file to write, got %d arguments", len(args))
	}
	b, err := api.Document()
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], append(b, '\n'), 0o644) //nolint:gosec // a description for everyone
}
