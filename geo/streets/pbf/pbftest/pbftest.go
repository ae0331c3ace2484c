// Package pbftest writes small PBF files for tests. Only tests import it.
package pbftest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"
	"sort"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// File is a file to write. Its objects go into blocks of 8000, as other programs write them.
type File struct {
	Nodes     []pbf.Node
	Ways      []pbf.Way
	Relations []pbf.Relation

	Plain     bool     // nodes one by one instead of dense, data not packed
	Required  []string // features beside those that every file needs
	Source    string
	Program   string
	Timestamp int64 // Unix seconds

	South, West, North, East int32 // in 1e-7 degrees; all 0: no box
}

// Tags makes tags of a map, in the order of their keys.
func Tags(m map[string]string) pbf.Tags {
	var out pbf.Tags
	for k, v := range m {
		out = append(out, pbf.Tag{Key: k, Value: v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// Bytes returns the file's bytes.
func (f File) Bytes() []byte {
	var out bytes.Buffer
	Blob(&out, "OSMHeader", f.header(), f.Plain)
	for _, nodes := range chunks(f.Nodes) {
		f.block(&out, func(t *table) []byte {
			if f.Plain {
				return t.plain(nodes)
			}
			return message(2, t.dense(nodes))
		})
	}
	for _, ways := range chunks(f.Ways) {
		f.block(&out, func(t *table) (g []byte) {
			for _, w := range ways {
				g = append(g, message(3, t.way(w))...)
			}
			return g
		})
	}
	for _, relations := range chunks(f.Relations) {
		f.block(&out, func(t *table) (g []byte) {
			for _, r := range relations {
				g = append(g, message(4, t.relation(r))...)
			}
			return g
		})
	}
	return out.Bytes()
}

func chunks[T any](list []T) [][]T { return slices.Collect(slices.Chunk(list, 8000)) }

// block appends a block with one group of objects.
func (f File) block(out *bytes.Buffer, group func(*table) []byte) {
	t := &table{index: map[string]uint64{}}
	t.of("") // 0 ends the tags of dense nodes
	g := group(t)
	Blob(out, "OSMData", append(message(1, t.bytes()), message(2, g)...), f.Plain)
}

func (f File) header() []byte {
	b := message(4, []byte("OsmSchema-V0.6"))
	if f.South != f.North {
		var box []byte
		for i, e7 := range []int32{f.West, f.East, f.North, f.South} {
			box = append(box, number(protowire.Number(i+1), protowire.EncodeZigZag(int64(e7)*100))...)
		}
		b = append(b, message(1, box)...)
	}
	b = append(b, message(4, []byte("DenseNodes"))...)
	for _, r := range f.Required {
		b = append(b, message(4, []byte(r))...)
	}
	if f.Program != "" {
		b = append(b, message(16, []byte(f.Program))...)
	}
	if f.Source != "" {
		b = append(b, message(17, []byte(f.Source))...)
	}
	if f.Timestamp != 0 {
		b = append(b, number(32, uint64(f.Timestamp))...)
	}
	return b
}

// Blob appends one blob to a file.
func Blob(out *bytes.Buffer, kind string, data []byte, plain bool) {
	blob := message(1, data)
	if !plain {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		_, _ = w.Write(data) // into memory
		_ = w.Close()
		blob = append(number(2, uint64(len(data))), message(3, z.Bytes())...)
	}
	RawBlob(out, kind, blob)
}

// RawBlob appends one blob whose message is given.
func RawBlob(out *bytes.Buffer, kind string, blob []byte) {
	head := append(message(1, []byte(kind)), number(3, uint64(len(blob)))...)
	_ = binary.Write(out, binary.BigEndian, uint32(len(head)))
	out.Write(head)
	out.Write(blob)
}

func message(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

func number(num protowire.Number, x uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), x)
}

func signed(num protowire.Number, x int64) []byte { return number(num, protowire.EncodeZigZag(x)) }

// table is a block's table of strings.
type table struct {
	list  []string
	index map[string]uint64
}

func (t *table) of(s string) uint64 {
	i, ok := t.index[s]
	if !ok {
		i = uint64(len(t.list))
		t.index[s], t.list = i, append(t.list, s)
	}
	return i
}

func (t *table) bytes() (b []byte) {
	for _, s := range t.list {
		b = append(b, message(1, []byte(s))...)
	}
	return b
}

func (t *table) tags(tags pbf.Tags) (b []byte) {
	var keys, vals []byte
	for _, x := range tags {
		keys = protowire.AppendVarint(keys, t.of(x.Key))
		vals = protowire.AppendVarint(vals, t.of(x.Value))
	}
	return append(message(2, keys), message(3, vals)...)
}

func (t *table) plain(nodes []pbf.Node) (g []byte) {
	for _, n := range nodes {
		b := append(signed(1, n.ID), t.tags(n.Tags)...)
		b = append(b, signed(8, int64(n.Lat))...)
		b = append(b, signed(9, int64(n.Lng))...)
		g = append(g, message(1, b)...)
	}
	return g
}

func (t *table) dense(nodes []pbf.Node) []byte {
	var ids, lats, lngs, tags []byte
	var last pbf.Node
	delta := func(b []byte, x int64) []byte { return protowire.AppendVarint(b, protowire.EncodeZigZag(x)) }
	for _, n := range nodes {
		ids, lats, lngs = delta(ids, n.ID-last.ID), delta(lats, int64(n.Lat)-int64(last.Lat)), delta(lngs, int64(n.Lng)-int64(last.Lng))
		for _, x := range n.Tags {
			tags = protowire.AppendVarint(tags, t.of(x.Key))
			tags = protowire.AppendVarint(tags, t.of(x.Value))
		}
		tags = append(tags, 0)
		last = n
	}
	b := append(message(1, ids), message(8, lats)...)
	return append(append(b, message(9, lngs)...), message(10, tags)...)
}

func (t *table) way(w pbf.Way) []byte {
	b := append(number(1, uint64(w.ID)), t.tags(w.Tags)...)
	var refs []byte
	last := int64(0)
	for _, r := range w.Refs {
		refs = protowire.AppendVarint(refs, protowire.EncodeZigZag(r-last))
		last = r
	}
	return append(b, message(8, refs)...)
}

func (t *table) relation(r pbf.Relation) []byte {
	b := append(number(1, uint64(r.ID)), t.tags(r.Tags)...)
	var roles, ids, types []byte
	last := int64(0)
	for _, m := range r.Members {
		roles = protowire.AppendVarint(roles, t.of(m.Role))
		ids = protowire.AppendVarint(ids, protowire.EncodeZigZag(m.ID-last))
		types = protowire.AppendVarint(types, uint64(m.Type))
		last = m.ID
	}
	return append(append(append(b, message(8, roles)...), message(9, ids)...), message(10, types)...)
}
