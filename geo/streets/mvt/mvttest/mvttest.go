// Package mvttest reads vector tiles for tests. Only tests import it.
package mvttest

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hexhail/hexhail/geo/streets/mvt"
)

// Feature is a feature of a layer.
type Feature struct {
	Kind  mvt.Kind
	Tags  map[string]any // string, uint64 or bool
	Parts [][]mvt.Point  // lines, or rings without their first point at the end
}

// Layers are the features of each layer.
type Layers map[string][]Feature

var errTile = errors.New("not a tile")

// Read reads a tile, and fails if anything in it is not what mvt writes.
func Read(b []byte) (Layers, error) {
	out := Layers{}
	err := each(b, func(num protowire.Number, _ uint64, b []byte) error {
		if num != 3 {
			return fmt.Errorf("%w: field %d", errTile, num)
		}
		name, features, err := readLayer(b)
		if _, twice := out[name]; twice || name == "" {
			return fmt.Errorf("%w: layer %q", errTile, name)
		}
		out[name] = features
		return err
	})
	return out, err
}

func each(b []byte, fn func(num protowire.Number, n uint64, b []byte) error) error {
	for len(b) > 0 {
		num, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errTile
		}
		b = b[size:]
		var n uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			bytes, size = protowire.ConsumeBytes(b)
		default:
			return errTile
		}
		if size < 0 {
			return errTile
		}
		b = b[size:]
		if err := fn(num, n, bytes); err != nil {
			return err
		}
	}
	return nil
}

func readLayer(b []byte) (name string, features []Feature, err error) {
	var keys []string
	var values []any
	var raw [][]byte
	var version, extent uint64
	err = each(b, func(num protowire.Number, n uint64, b []byte) error {
		switch num {
		case 15:
			version = n
		case 1:
			name = string(b)
		case 2:
			raw = append(raw, b)
		case 3:
			keys = append(keys, string(b))
		case 4:
			return each(b, func(num protowire.Number, n uint64, b []byte) error {
				switch num {
				case 1:
					values = append(values, string(b))
				case 5:
					values = append(values, n)
				case 7:
					values = append(values, n != 0)
				default:
					return errTile
				}
				return nil
			})
		case 5:
			extent = n
		}
		return nil
	})
	if err != nil || version != 2 || extent != mvt.Extent {
		return name, nil, fmt.Errorf("%w: layer %q", errTile, name)
	}
	for _, r := range raw {
		f, err := readFeature(r, keys, values)
		if err != nil {
			return name, nil, err
		}
		features = append(features, f)
	}
	return name, features, nil
}

func readFeature(b []byte, keys []string, values []any) (Feature, error) {
	f := Feature{Tags: map[string]any{}}
	var commands []uint64
	err := each(b, func(num protowire.Number, n uint64, b []byte) error {
		switch num {
		case 2:
			tags := varints(b)
			for i := 0; i+1 < len(tags); i += 2 {
				if tags[i] >= uint64(len(keys)) || tags[i+1] >= uint64(len(values)) {
					return errTile
				}
				f.Tags[keys[tags[i]]] = values[tags[i+1]]
			}
		case 3:
			f.Kind = mvt.Kind(n)
		case 4:
			commands = varints(b)
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	f.Parts, err = parts(f.Kind, commands)
	return f, err
}

func varints(b []byte) (out []uint64) {
	for len(b) > 0 {
		n, size := protowire.ConsumeVarint(b)
		if size < 0 {
			return nil
		}
		out, b = append(out, n), b[size:]
	}
	return out
}

// parts follows the commands of a geometry: each part is MoveTo, LineTo and, of a ring, ClosePath.
func parts(kind mvt.Kind, c []uint64) (out [][]mvt.Point, err error) {
	var x, y int64
	take := func(id uint64) bool {
		if len(c) == 0 || c[0]&7 != id || id == 7 && c[0]>>3 != 1 || uint64(len(c)) < 1 {
			return false
		}
		n := c[0] >> 3
		if c = c[1:]; id == 7 {
			return true
		}
		if n == 0 || uint64(len(c)) < 2*n {
			return false
		}
		for range n {
			x += protowire.DecodeZigZag(c[0])
			y += protowire.DecodeZigZag(c[1])
			c = c[2:]
			if x != int64(int32(x)) || y < math.MinInt32 || y > math.MaxInt32 {
				return false
			}
			out[len(out)-1] = append(out[len(out)-1], mvt.Point{X: int32(x), Y: int32(y)})
		}
		return true
	}
	for len(c) > 0 {
		out = append(out, nil)
		if !take(1) || len(out[len(out)-1]) != 1 || !take(2) || kind == mvt.Polygons && !take(7) {
			return nil, fmt.Errorf("%w: a geometry is broken", errTile)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: a geometry is empty", errTile)
	}
	return out, nil
}
