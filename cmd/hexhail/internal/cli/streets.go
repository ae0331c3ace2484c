package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/citymap"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

type streetsCmd struct {
	Build  streetsBuildCmd  `cmd:"" help:"Build a map from an OpenStreetMap extract."`
	Info   streetsInfoCmd   `cmd:"" help:"Print what a map or an extract holds, and its licence."`
	Reload streetsReloadCmd `cmd:"" help:"Let a running server load its map again."`
	Forget streetsForgetCmd `cmd:"" help:"Forget the travel times learned from rides."`
}

// mapExtension ends the names of maps.
const mapExtension = ".hxst"

type streetsBuildCmd struct {
	Extract string `arg:"" name:"city.osm.pbf" help:"OpenStreetMap extract in PBF format."`
	To      string `short:"o" name:"output" placeholder:"FILE" help:"The map to write; it is replaced if it exists. Default: the extract's name with .hxst."`
	BBox    string `name:"bbox" placeholder:"W,S,E,N" xor:"area" help:"Keep only what lies in this box, in degrees: west,south,east,north."`
	Clip    string `placeholder:"FILE" xor:"area" help:"Keep only what lies in the polygons of this GeoJSON file."`
	Shore   string `name:"shoreline" placeholder:"FILE" help:"Land, as polygons of a GeoJSON file; what lies between them is water. Default: the extract's coastline, if it is complete."`
}

// Run is called by kong.
func (b *streetsBuildCmd) Run(in *call) error {
	area, err := b.area()
	if err != nil {
		return err
	}
	shore, err := b.shoreline()
	if err != nil {
		return err
	}
	to := b.To
	if to == "" {
		to = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(b.Extract), ".pbf"), ".osm") + mapExtension
	}
	ctx, show := in.long()
	defer show.end()
	begun := time.Now()
	m, err := streets.Build(ctx, citymap.Opener(b.Extract), streets.BuildOptions{
		Name: filepath.Base(b.Extract), Builder: "hexhail " + Version(), Area: area, Shoreline: shore, Progress: show.streets,
	})
	show.end()
	if err != nil {
		return fmt.Errorf("build %s: %w", b.Extract, err)
	}
	if err := m.Save(to); err != nil {
		return fmt.Errorf("build %s: %w", b.Extract, err)
	}
	file, err := os.Stat(to)
	if err != nil {
		return fmt.Errorf("build %s: %w", b.Extract, err)
	}
	fmt.Fprintf(in.env.Stdout, "Wrote the map to %s (%s) in %s.\n", to, mebibytes(file.Size()), time.Since(begun).Round(10*time.Millisecond))
	return describeMap(in.env.Stdout, m)
}

func (b *streetsBuildCmd) area() (*streets.Area, error) {
	switch {
	case b.BBox != "":
		a, err := parseBox(b.BBox)
		if err != nil {
			return nil, fmt.Errorf("--bbox: %w", err)
		}
		return a, nil
	case b.Clip != "":
		return readOption("--clip", b.Clip, streets.ReadArea)
	}
	return nil, nil
}

func (b *streetsBuildCmd) shoreline() (*streets.Shoreline, error) {
	if b.Shore == "" {
		return nil, nil
	}
	return readOption("--shoreline", b.Shore, streets.ReadShoreline)
}

// readOption reads the file of an option.
func readOption[T any](option, path string, read func(io.Reader) (*T, error)) (*T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	defer f.Close()
	v, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", option, path, err)
	}
	return v, nil
}

// parseBox reads west,south,east,north, the order of other OpenStreetMap tools.
func parseBox(s string) (*streets.Area, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 4 {
		return nil, errors.New("it must be four numbers: west,south,east,north")
	}
	var v [4]float64
	for i, f := range fields {
		x, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", f)
		}
		v[i] = x
	}
	return streets.BoxArea(geo.Point{Lat: v[1], Lng: v[0]}, geo.Point{Lat: v[3], Lng: v[2]})
}

// streets shows the progress of a build: its last step counts junctions, the others bytes.
func (p *progress) streets(step string, done, total int64) {
	if total > 0 {
		step, done, total = fmt.Sprintf("%s: %d %%", step, done*100/total), 0, 0
	}
	p.step(step, done, total)
}

type streetsInfoCmd struct {
	File string `arg:"" help:"The map or the extract."`
}

// Run is called by kong.
func (i *streetsInfoCmd) Run(in *call) error {
	extract, header, err := citymap.IsExtract(i.File)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", i.File, err)
	case extract:
		return describeExtract(in.env.Stdout, header)
	}
	m, err := streets.Load(i.File)
	if err != nil {
		return fmt.Errorf("%s: %w", i.File, err)
	}
	return describeMap(in.env.Stdout, m)
}

// describeExtract prints what an extract says about itself, and its licence.
func describeExtract(out io.Writer, h pbf.Header) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "An OpenStreetMap extract. Make a map of it with hexhail streets build, or give it to hexhail serve --streets.")
	for _, r := range [][2]string{{"from", h.Source}, {"written by", h.Program}} {
		if r[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", r[0], r[1])
		}
	}
	if !h.Timestamp.IsZero() {
		fmt.Fprintf(w, "data as of\t%s\n", h.Timestamp.Format(time.RFC3339))
	}
	licence(w, streets.Licence, streets.LicenceURL, streets.Attribution)
	return w.Flush()
}

func licence(w io.Writer, name, url, attribution string) {
	fmt.Fprintf(w, "licence\t%s, %s\n", name, url)
	fmt.Fprintf(w, "attribution\t%s, linked to https://www.openstreetmap.org/copyright\n", attribution)
}

type streetsReloadCmd struct {
	Ops     string        `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Operations listener of the server."`
	Timeout time.Duration `default:"10m" help:"How long to wait for the answer."`
}

// Run is called by kong.
func (r *streetsReloadCmd) Run(in *call) error {
	ctx, cancel := context.WithTimeout(in.ctx, r.Timeout)
	defer cancel()
	status, body, err := callOps(ctx, http.MethodPost, r.Ops, "/streets/reload")
	switch {
	case err != nil:
		return fmt.Errorf("streets reload: %w", err)
	case status != http.StatusOK:
		return fmt.Errorf("streets reload: %s", strings.TrimSpace(string(body)))
	}
	_, err = in.env.Stdout.Write(body)
	return err
}

// describeMap prints what a map holds, what was left out, and its licence.
func describeMap(out io.Writer, m *streets.Map) error {
	meta, c := m.Meta(), m.Counts()
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("map", "%s", m.ID())
	row("extract", "%s", meta.Source)
	if !meta.Date.IsZero() {
		row("data as of", "%s", meta.Date.Format(time.RFC3339))
	}
	row("built by", "%s", meta.Builder)
	south, west, north, east := meta.Box.Degrees()
	row("area", "%.4f,%.4f,%.4f,%.4f", west, south, east, north)
	row("streets", "%s, %s, %s", count(c.Streets, "street"), count(c.Junctions, "junction"), count(c.Names, "name"))
	for r, metres := range c.LengthM {
		if metres > 0 {
			row("  "+streets.Road(r).String(), "%.1f km", metres/1000)
		}
	}
	row("areas", "%s, %s", count(c.Polygons, "area"), shoreText(meta.Shore))
	r := meta.Report
	row("to be found", "%d places, %d addresses", r.Places, r.Addresses)
	row("turn restrictions", "%d used", r.Turns.Used)
	for _, x := range []struct {
		n    int
		what string
	}{
		{r.NotOpen, "ways not open to all cars"},
		{r.Reversible, "ways whose direction changes by the hour"},
		{r.Areas, "squares"},
		{r.Blocked, "barriers that cars cannot pass"},
		{r.Unclosed, "lakes, parks or coastlines whose outline has a gap"},
		{r.MissingNodes, "nodes missing from the extract"},
		{r.Turns.ViaWays, "turn restrictions via a way"},
		{r.Turns.Conditional, "turn restrictions for certain hours"},
		{r.Turns.Broken, "incomplete turn restrictions"},
		{r.Turns.Elsewhere, "turn restrictions on streets not in the map"},
	} {
		if x.n > 0 {
			row("left out", "%d %s", x.n, x.what)
		}
	}
	if r.LeftOutM > 0 {
		row("left out", "%.1f km of streets not connected to the rest", r.LeftOutM/1000)
	}
	licence(w, meta.Licence, meta.LicenceURL, meta.Attribution)
	return w.Flush()
}

func shoreText(known *streets.Box) string {
	if known == nil {
		return "without a shoreline"
	}
	return "with the shoreline"
}
