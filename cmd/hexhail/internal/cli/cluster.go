package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodecerts"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

type clusterCmd struct {
	Status clusterStatusCmd `cmd:"" help:"Show the cluster as a running node sees it."`
	Certs  certsCmd         `cmd:"" help:"Make and show the certificates for the connections between nodes."`
}

type certsCmd struct {
	Init certsInitCmd `cmd:"" help:"Make the cluster's CA, which vouches for its nodes. An existing CA is never replaced."`
	Node certsNodeCmd `cmd:"" help:"Make the certificate of a node."`
	Show certsShowCmd `cmd:"" help:"Show what a certificate says."`
}

type certsInitCmd struct {
	Dir    string             `default:"hexhail-certs" placeholder:"DIR" help:"Directory for the files."`
	Valid  nodecerts.Validity `default:"10y" placeholder:"TIME" help:"How long the CA is valid: years, days or hours, such as 10y, 90d or 12h."`
	Permit []string           `placeholder:"NAME" help:"Domains and networks that the CA may vouch for, such as nodes.example.org,10.1.0.0/16. Default: any."`
}

// Run is called by kong.
func (c *certsInitCmd) Run(in *call) error {
	permit, err := nodecerts.ParsePermit(c.Permit)
	if err != nil {
		return fmt.Errorf("--permit: %w", err)
	}
	made, err := nodecerts.Init(c.Dir, c.Valid, permit, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(in.env.Stdout, "The cluster's CA was made. It is valid until %s.\n", until(made))
	fmt.Fprintf(in.env.Stdout, "  %s: every node needs it.\n", made.File)
	fmt.Fprintf(in.env.Stdout, "  %s: no node needs it. Its holder can make nodes: keep it where only you can read it.\n", made.KeyFile)
	fmt.Fprintln(in.env.Stdout, "For each node, with the names and addresses at which the others reach it: hexhail cluster certs node NAME...")
	return nil
}

type certsNodeCmd struct {
	Names []string           `arg:"" name:"name" help:"DNS names and IP addresses at which the other nodes reach this one."`
	Dir   string             `default:"hexhail-certs" placeholder:"DIR" help:"Directory of the CA, and for the files."`
	Valid nodecerts.Validity `default:"1y" placeholder:"TIME" help:"How long the certificate is valid: years, days or hours, such as 1y, 90d or 12h."`
	Force bool               `help:"Replace the node's files if they exist."`
}

// Run is called by kong.
func (c *certsNodeCmd) Run(in *call) error {
	ca, err := nodecerts.Open(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; make the CA first: hexhail cluster certs init", err)
	}
	if err != nil {
		return err
	}
	made, err := ca.Issue(c.Names, c.Valid, c.Force, time.Now())
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w; --force replaces it", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(in.env.Stdout, "The certificate for %s was made. It is valid until %s.\n",
		strings.Join(nodetls.Names(made.Certificate), ", "), until(made))
	fmt.Fprintf(in.env.Stdout, "  %s\n  %s: only the node's account may read it.\n", made.File, made.KeyFile)
	return nil
}

type certsShowCmd struct {
	File string `arg:"" help:"PEM file with one or more certificates."`
}

// Run is called by kong.
func (c *certsShowCmd) Run(in *call) error {
	list, err := nodetls.ReadCertificates(c.File)
	if err != nil {
		return err
	}
	return nodecerts.Describe(in.env.Stdout, list, time.Now())
}

func until(m nodecerts.Made) string { return m.Certificate.NotAfter.UTC().Format(time.RFC3339) }
