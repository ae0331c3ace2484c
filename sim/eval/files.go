package eval

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/sim/demand"
)

// recipe is the page that says where the files come from.
const recipe = "docs/benchmarks/matching.md says where to get it"

// file is a file that is not shipped, with the checksum of the one that figures are published for.
type file struct{ name, sum string }

// The files of --data.
var (
	nodesFile   = file{"manhattan_nodes.csv.gz", "6c11a1ceb0dc5f22aa5143326319960fd8745a46d4f08a423c00154d95f42e26"}
	edgesFile   = file{"manhattan_edges_weekday.csv.gz", "1aaf7559edecdc46ccf8b23a6c0a97c4b21bac790f4751c72687a50e4b2beb81"}
	newYearFile = file{"nyc_newyear_20130101_00h_trips.csv.gz", "fbf7b7beadd2b4732a70cb4495d6e18adb2dad42f925f8cbca60cc7166aaaf19"}
	sfTripsFile = file{"sf_cabs_20080602_20080608_trips.csv.gz", "98e32ed1593dcf0e9c3ff369aeaa06f081656c6068c43d516a04fd0e1c11e46d"}
	sfFixesFile = file{"sf_cabs_20080606_gps.csv.gz", "027f6a4c27c16a7ed5174bf6036314e0000afffb64361bc98f328c6c07af291a"}
)

// ErrNoData means that a file of a scenario is not there, or is another one than figures are published for.
var ErrNoData = errors.New("a data file is missing")

// maxFile bounds a file, before and after it is unzipped.
const maxFile = 1 << 28

// read returns the file's content, unzipped. The error wraps ErrNoData.
func (f file) read(dir string) ([]byte, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: %s is not shipped; name its folder with --data (%s)", ErrNoData, f.name, recipe)
	}
	path := filepath.Join(dir, f.name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not in %s (%s)", ErrNoData, f.name, dir, recipe)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%w: %s is too large to be the one that figures are published for", ErrNoData, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoData, err)
	}
	if sum := checksum(b); sum != f.sum {
		return nil, fmt.Errorf("%w: %s is another file than figures are published for: its SHA-256 is %s, not %s", ErrNoData, path, sum, f.sum)
	}
	b, err = unzip(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func checksum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func unzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unzip: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unzip: %w", err)
	case len(out) > maxFile:
		return nil, fmt.Errorf("unzip: more than %d MB", maxFile>>20)
	}
	return out, nil
}

// rows reads a CSV table with the columns given and calls each for every row.
func rows(csv []byte, each func(*demand.Table) error, columns ...string) error {
	t, err := demand.NewTable(bytes.NewReader(csv))
	if err != nil {
		return err //nolint:wrapcheck // it says what is wrong, the caller names the file
	}
	if err := t.Need(columns...); err != nil {
		return err //nolint:wrapcheck // likewise
	}
	for {
		ok, err := t.Next()
		if !ok || err != nil {
			return err //nolint:wrapcheck // likewise
		}
		if err := each(t); err != nil {
			return err
		}
	}
}
