package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
)

type clusterStatusCmd struct {
	Ops     string        `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Operations listener of the node to ask."`
	JSON    bool          `help:"Print JSON, for programs."`
	Timeout time.Duration `default:"3s" help:"How long to wait for the answer."`
}

// Run is called by kong.
func (c *clusterStatusCmd) Run(in *call) error {
	ctx, cancel := context.WithTimeout(in.ctx, c.Timeout)
	defer cancel()
	status, body, err := askOps(ctx, c.Ops, "/cluster")
	switch {
	case err != nil:
		return fmt.Errorf("cluster status: %w", err)
	case status == http.StatusNotFound:
		return errors.New("cluster status: that server is not part of a cluster")
	case status != http.StatusOK:
		return fmt.Errorf("cluster status: %s", http.StatusText(status))
	}
	if c.JSON {
		_, err := in.env.Stdout.Write(body)
		return err
	}
	var s server.ClusterStatus
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("cluster status: %w", err)
	}
	return printStatus(in.env.Stdout, s)
}

// askOps reads a page of an operations listener, not through a proxy that the environment may name. It
// returns the page with any status.
func askOps(ctx context.Context, listen, path string) (status int, body []byte, err error) {
	return callOps(ctx, http.MethodGet, listen, path)
}

// callOps is askOps with a method.
func callOps(ctx context.Context, method, listen, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+dialable(listen)+path, nil)
	if err != nil {
		return 0, nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}

func printStatus(to io.Writer, s server.ClusterStatus) error {
	fmt.Fprintf(to, "node %s (%s): %d of %d shards, %d trips, %d sockets, clock %+d ms, longest pause %d of %d ms\n",
		s.Node, s.Incarnation, s.Shards, s.AllShards, s.Trips, s.Sockets, s.ClockDifferenceMS, s.LongestPauseMS, s.ToleratedPauseMS)
	if s.WaitsFor != "" {
		fmt.Fprintf(to, "%s\n", s.WaitsFor)
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MEMBER\tINCARNATION\tADDRESS\tVERSION\tANSWERS")
	for _, m := range s.Members {
		answers := "yes"
		if m.Late {
			answers = fmt.Sprintf("not for %.1f s", float64(m.SilentForMS)/1000)
			if m.Failure != "" {
				answers += ": " + m.Failure
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.Node, m.Incarnation, m.Address, m.Version, answers)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, d := range s.Dropped {
		fmt.Fprintf(to, "dropped at %s: %s (%s), because %s\n", d.At.UTC().Format(time.TimeOnly+" UTC"), d.Node, d.Incarnation, d.Reason)
	}
	for _, w := range s.Warnings {
		fmt.Fprintln(to, "warning:", w)
	}
	return nil
}
