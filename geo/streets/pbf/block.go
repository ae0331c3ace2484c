package pbf

import (
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// decoder turns blocks into objects. Its slices are reused from object to object.
type decoder struct {
	h      Handler
	header Header

	text                 string // all strings of the block in one allocation
	ends                 []int32
	granularity          int64
	latOffset, lngOffset int64
	tags                 Tags
	refs                 []int64
	members              []Member
	node                 Node
	way                  Way
	relation             Relation
}

// readable are the required features that this reader has.
var readable = map[string]bool{"OsmSchema-V0.6": true, "DenseNodes": true}

func (d *decoder) readHeader(b []byte) error {
	return eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			return d.readBox(f.bytes)
		case 4:
			if name := string(f.bytes); !readable[name] {
				return fmt.Errorf("%w: it needs %q", ErrUnsupported, strings.ToValidUTF8(name[:min(len(name), 40)], "?"))
			}
		case 16:
			d.header.Program = strings.ToValidUTF8(string(f.bytes), "?")
		case 17:
			d.header.Source = strings.ToValidUTF8(string(f.bytes), "?")
		case 32:
			if s := int64(f.number); s > 0 && s < 1<<40 {
				d.header.Timestamp = time.Unix(s, 0).UTC()
			}
		}
		return nil
	})
}

// readBox reads the box of the header, in 1e-9 degrees. One that makes no sense counts as none.
func (d *decoder) readBox(b []byte) error {
	var side [5]int64 // left, right, top, bottom, from 1
	err := eachField(b, func(num protowire.Number, f field) error {
		if num < protowire.Number(len(side)) {
			side[num] = protowire.DecodeZigZag(f.number) / 100
		}
		return nil
	})
	if err == nil && side[1] >= -180e7 && side[1] < side[2] && side[2] <= 180e7 && side[4] >= -90e7 && side[4] < side[3] && side[3] <= 90e7 {
		h := &d.header
		h.West, h.East, h.North, h.South = int32(side[1]), int32(side[2]), int32(side[3]), int32(side[4])
	}
	return err
}

func (d *decoder) readBlock(b []byte) error {
	d.text, d.ends = "", d.ends[:0]
	d.granularity, d.latOffset, d.lngOffset = 100, 0, 0
	err := eachField(b, func(num protowire.Number, f field) error {
		switch num {
		case 1:
			return d.readStrings(f.bytes)
		case 17:
			d.granularity = int64(f.number)
		case 19:
			d.latOffset = int64(f.number)
		case 20:
			d.lngOffset = int64(f.number)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if d.granularity < 1 || d.granularity > math.MaxInt32 {
		return corrupt("a block's granularity is out of range")
	}
	return eachField(b, func(num protowire.Number, f field) error {
		if num != 2 {
			return nil
		}
		return eachField(f.bytes, d.readObject)
	})
}

// readObject reads one field of a group: a node, many nodes, a way or a relation.
func (d *decoder) readObject(num protowire.Number, f field) error {
	switch {
	case num == 1 && d.h.Node != nil:
		return d.readNode(f.bytes)
	case num == 2 && d.h.Node != nil:
		return d.readDense(f.bytes)
	case num == 3 && d.h.Way != nil:
		return d.readWay(f.bytes)
	case num == 4 && d.h.Relation != nil:
		return d.readRelation(f.bytes)
	}
	return nil
}

// readStrings takes a block's table of strings. Of two tables the last counts.
func (d *decoder) readStrings(b []byte) error {
	d.ends = d.ends[:0]
	var text strings.Builder
	err := eachField(b, func(num protowire.Number, f field) error {
		if num == 1 {
			text.Write(f.bytes)
			d.ends = append(d.ends, int32(text.Len()))
		}
		return nil
	})
	d.text = text.String()
	return err
}

func (d *decoder) str(i uint64) (string, bool) {
	if i >= uint64(len(d.ends)) {
		return "", false
	}
	from := int32(0)
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.text[from:d.ends[i]], true
}

// readTags fills d.tags from two lists of strings.
func (d *decoder) readTags(keys, vals varints) error {
	d.tags = d.tags[:0]
	for {
		k, ok := keys.next()
		if !ok {
			break
		}
		v, ok := vals.next()
		if !ok {
			return corrupt("a tag has no value")
		}
		if err := d.addTag(k, v); err != nil {
			return err
		}
	}
	if err := keys.done(); err != nil {
		return err
	}
	return vals.done()
}

func (d *decoder) addTag(key, value uint64) error {
	k, ok := d.str(key)
	v, ok2 := d.str(value)
	if !ok || !ok2 {
		return corrupt("a tag names a string that is missing")
	}
	if len(d.tags) >= MaxTags {
		return corrupt("an object has too many tags")
	}
	d.tags = append(d.tags, Tag{Key: k, Value: v})
	return nil
}

// place converts coordinates in units of the granularity to 1e-7 degrees.
func (d *decoder) place(lat, lng int64) (int32, int32, error) {
	la, ok := scaled(lat, d.granularity, d.latOffset, 90e7)
	ln, ok2 := scaled(lng, d.granularity, d.lngOffset, 180e7)
	if !ok || !ok2 {
		return 0, 0, corrupt("a node lies outside the Earth")
	}
	return la, ln, nil
}

func scaled(x, granularity, offset, limit int64) (int32, bool) {
	const most = 1 << 40 // nano-degrees: six times the circle, far from an overflow
	if x > most/granularity || x < -most/granularity || offset > most || offset < -most {
		return 0, false
	}
	nano := offset + granularity*x
	half := int64(50)
	if nano < 0 {
		half = -half
	}
	v := (nano + half) / 100
	return int32(v), v <= limit && v >= -limit
}
