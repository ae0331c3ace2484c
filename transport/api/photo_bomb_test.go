package api

import (
	"encoding/binary"
)

// jpegScan is a scan of one component of a bomb: the band from ss to se, refined when high is not 0.
type jpegScan struct {
	component, ss, se, high, low byte
}

// bomb is a progressive JPEG whose AC scans hold nothing but end-of-band runs: each costs
// some tens of bytes, and makes a decoder walk over all blocks of the picture.
func bomb(w, h int, sampling [3]byte, scans []jpegScan) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	for range 64 {
		b = append(b, 1)
	}
	b = append(b, 0xff, 0xc2, 0, 17, 8)
	b = binary.BigEndian.AppendUint16(b, uint16(h))
	b = binary.BigEndian.AppendUint16(b, uint16(w))
	b = append(b, 3)
	for i, s := range sampling {
		b = append(b, byte(i+1), s, 0)
	}
	// One code of one bit in each table: no difference for DC, a run of 2^14 and more for AC.
	for _, table := range [][2]byte{{0x00, 0x00}, {0x10, 0xe0}} {
		b = append(b, 0xff, 0xc4, 0, 20, table[0], 1)
		b = append(append(b, make([]byte, 15)...), table[1])
	}
	mcus := func(s byte) int {
		return ((w + 8*int(s>>4) - 1) / (8 * int(s>>4))) * ((h + 8*int(s&15) - 1) / (8 * int(s&15)))
	}
	for _, s := range scans {
		b = append(b, 0xff, 0xda, 0, 8, 1, s.component, 0, s.ss, s.se, s.high<<4|s.low)
		blocks := mcus(sampling[0]) * int(sampling[s.component-1]>>4) * int(sampling[s.component-1]&15)
		var bits bitWriter
		if s.ss == 0 {
			for range blocks {
				bits.put(0, 1)
			}
		} else {
			for left := blocks; left > 0; left -= 1<<15 - 1 {
				bits.put(0, 1)
				bits.put(1<<14-1, 14)
			}
		}
		b = append(b, bits.bytes()...)
	}
	return append(b, 0xff, 0xd9)
}

// bitWriter writes entropy-coded data, most significant bit first.
type bitWriter struct {
	out  []byte
	acc  uint32
	have uint
}

func (w *bitWriter) put(v uint32, n uint) {
	w.acc, w.have = w.acc<<n|v, w.have+n
	for ; w.have >= 8; w.have -= 8 {
		w.stuff(byte(w.acc >> (w.have - 8)))
	}
}

func (w *bitWriter) stuff(b byte) {
	if w.out = append(w.out, b); b == 0xff {
		w.out = append(w.out, 0)
	}
}

func (w *bitWriter) bytes() []byte {
	if w.have > 0 {
		w.stuff(byte(w.acc<<(8-w.have)) | byte(1<<(8-w.have)-1))
	}
	return w.out
}
