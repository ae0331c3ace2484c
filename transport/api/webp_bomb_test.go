package api

import (
	"encoding/binary"
)

// lsbWriter writes bits of a lossless WebP, least significant first.
type lsbWriter struct {
	out  []byte
	acc  uint64
	have uint
}

func (w *lsbWriter) put(v uint64, n uint) {
	w.acc, w.have = w.acc|v<<w.have, w.have+n
	for ; w.have >= 8; w.have -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// symbol is a tree of one symbol, whose code takes no bits.
func (w *lsbWriter) symbol(s uint64) {
	w.put(0b101, 3) // simple, one symbol, of 8 bits
	w.put(s, 8)
}

// tree gives the first symbols of an alphabet codes of some length, and the others codes of
// one bit more. When all have the same, the lengths take no bits.
func (w *lsbWriter) tree(length, short, long int) {
	order := [19]int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	w.put(0, 1)
	w.put(15, 4)
	for _, of := range order {
		if of == length || of == length+1 && long > 0 {
			w.put(1, 3)
		} else {
			w.put(0, 3)
		}
	}
	w.put(0, 1)
	if long == 0 {
		return
	}
	for range short {
		w.put(0, 1)
	}
	for range long {
		w.put(1, 1)
	}
}

// forest is a lossless WebP, all black, with a group of the largest trees for each of its
// first tiles of 4 by 4 pixels: 410 bytes of file for each take 53 KB of memory.
func forest(w, h, groups int) []byte {
	var b lsbWriter
	b.put(0x2f, 8)
	b.put(uint64(w-1), 14)
	b.put(uint64(h-1), 14)
	b.put(0, 4)
	b.put(0, 1)        // no transforms
	b.put(1, 1)        // a cache of colours, which makes the alphabet of green larger
	b.put(11, 4)       // 2,048 of them
	b.put(1, 1)        // a picture of the groups
	b.put(0, 3)        // with tiles of 4 by 4
	b.put(0, 1)        // which has no cache
	b.tree(8, 232, 48) // green has 24 symbols more
	b.tree(8, 256, 0)
	b.symbol(0)
	b.symbol(0)
	b.symbol(0)
	across, down := (w+3)/4, (h+3)/4
	group := func(tile int) int { return min(tile, groups) } // the last has small trees, and gets the rest
	for i := range across * down {
		b.green(group(i) & 0xff)
		b.put(reversed(group(i)>>8, 8), 8) // red
	}
	for range groups {
		b.tree(11, 1768, 560)
		b.tree(8, 256, 0)
		b.tree(8, 256, 0)
		b.tree(8, 256, 0)
		b.tree(5, 24, 16)
	}
	for range 5 {
		b.symbol(0)
	}
	for y := range h {
		for x := range w {
			if group(y/4*across+x/4) < groups {
				b.put(0, 11+3*8)
			}
		}
	}
	b.put(0, 64)
	return riff("VP8L", b.out)
}

// green writes a symbol of a tree of 232 codes of 8 bits and 48 of 9.
func (w *lsbWriter) green(s int) {
	if s < 232 {
		w.put(reversed(s, 8), 8)
		return
	}
	w.put(reversed(464+s-232, 9), 9)
}

// reversed turns n bits round: codes begin with their most significant bit.
func reversed(v, n int) (r uint64) {
	for range n {
		r, v = r<<1|uint64(v&1), v>>1
	}
	return r
}

// riff is a WebP of one chunk.
func riff(kind string, data []byte) []byte {
	if len(data)%2 == 1 {
		data = append(data, 0)
	}
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(12+len(data)))...)
	b = append(append(b, "WEBP"...), kind...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}
