package api

import (
	"bytes"
	"encoding/binary"
	"image/png"

	"golang.org/x/image/webp"
)

// The bounds of what one photo may cost its decoder. The sizes of files say little about
// either: a few bytes of a JPEG, PNG or WebP can ask for much work and memory. Both are
// therefore computed from headers, before anything is decoded.
const (
	maxPhotoBytes  = 5 << 20
	maxPhotoPixels = 20_000_000
	// maxPixelBytes bounds the decoded pixels: 20 megapixels of 4 bytes each. Sixteen bits
	// to a channel leave half as many.
	maxPixelBytes = 4 * maxPhotoPixels
	// maxPhotoMemory bounds pixels and coefficients, of one photo and of all that are being
	// decoded. A progressive JPEG of 20 megapixels (4:2:0) takes 150 MB.
	maxPhotoMemory = 160_000_000
	// maxPhotoWork bounds the walks over the blocks of a JPEG, in units of about 1.5 ns.
	// What libjpeg and its kin write at 20 megapixels takes half of it.
	maxPhotoWork = 400_000_000
	maxScans     = 256
	maxSegments  = 4096
)

// cost is what decoding a picture takes at most.
type cost struct {
	width, height  int
	pixels, memory int64 // bytes; memory includes pixels
	work           int64
}

// costOf reads the headers of a picture. It allocates next to nothing.
func costOf(data []byte) (cost, error) {
	var c cost
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		c, err = jpegCost(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		c, err = pngCost(data)
	case len(data) >= 16 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		c, err = webpCost(data)
	default:
		return cost{}, badPhoto("A photo is a JPEG, PNG or WebP file.")
	}
	switch {
	case err != nil:
		return cost{}, err
	case c.width < 1 || c.height < 1:
		return cost{}, errDamaged()
	case int64(c.width)*int64(c.height) > maxPhotoPixels:
		return cost{}, badPhoto("A photo has at most 20 megapixels.")
	case c.pixels > maxPixelBytes || c.memory > maxPhotoMemory || c.work > maxPhotoWork:
		return cost{}, badPhoto("This photo takes too much to open. Save it as an ordinary JPEG, or make it smaller.")
	}
	return c, nil
}

func errDamaged() error { return badPhoto("The photo is damaged.") }

// pngCost is the cost of a PNG's pixels as they are decoded.
func pngCost(data []byte) (cost, error) {
	const depthAt, interlaceAt = 24, 28
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || len(data) <= interlaceAt {
		return cost{}, errDamaged()
	}
	area := int64(c.Width) * int64(c.Height)
	// Grey and palette pictures take less; a tRNS chunk, which may come later, makes four
	// channels of one.
	each := int64(4)
	if data[depthAt] == 16 {
		each = 8
	}
	out := cost{width: c.Width, height: c.Height, pixels: area * each, memory: area * each}
	if data[interlaceAt] != 0 { // each pass is a separate picture, together as large as the whole
		out.memory *= 2
	}
	return out, nil
}

// The code trees of a lossless WebP: up to treeGroups groups of them, as libwebp writes at
// most, each of a square of 4 pixels at least and of treeFile bytes of the file; one group
// of the largest trees takes treeMemory.
const (
	treeGroups = 2600
	treeFile   = 40
	treeMemory = 53_000
)

// webpCost is the cost of a WebP: lossy ones may have an alpha plane that is lossless.
func webpCost(data []byte) (cost, error) {
	c, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return cost{}, errDamaged()
	}
	area := int64(c.Width) * int64(c.Height)
	out := cost{width: c.Width, height: c.Height, pixels: 4 * area}
	if onlyLossy(data) {
		out.memory = 2 * area
		return out, nil
	}
	// Pixels, and the same again while they are transformed or beside an alpha plane.
	tiles := int64((c.Width+3)/4) * int64((c.Height+3)/4)
	out.memory = 8*area + treeMemory*min(treeGroups, tiles, int64(len(data)/treeFile)+1)
	return out, nil
}

// onlyLossy tells whether the picture of a WebP is one chunk that is not lossless, and comes
// before any alpha plane: the decoder stops there.
func onlyLossy(data []byte) bool {
	const header, chunk = 12, 8
	for b := data[header:]; len(b) >= chunk; {
		size := int64(binary.LittleEndian.Uint32(b[4:]))
		switch string(b[:4]) {
		case "VP8 ":
			return true
		case "VP8L", "ALPH":
			return false
		}
		size += size & 1
		if size > int64(len(b)-chunk) {
			return false
		}
		b = b[chunk+size:]
	}
	return false
}

// jpegHeader reads the frame and counts the scans of a JPEG.
type jpegHeader struct {
	cost
	progressive, rgb bool
	components       []jpegComponent
	seen             map[byte]bool // components that a sequential picture has shown
	scans            int
}

type jpegComponent struct {
	id     byte
	blocks int64
}

// jpegCost walks over a JPEG's segments as a decoder does, without decoding.
func jpegCost(data []byte) (cost, error) {
	h := jpegHeader{seen: map[byte]bool{}}
	rest, segments := data[2:], 0
	for {
		marker, body, after, ok := nextSegment(rest)
		if !ok { // cut short; the decoder finds out how badly
			break
		}
		const sof0, sof2, sos, eoi, app14 = 0xc0, 0xc2, 0xda, 0xd9, 0xee
		if marker == eoi {
			break
		}
		if segments++; segments > maxSegments {
			return cost{}, badPhoto("The photo has too many parts. Save it again as an ordinary JPEG.")
		}
		var err error
		switch {
		case marker >= sof0 && marker <= sof2:
			err = h.frame(marker == sof2, body)
		case marker == sos:
			err = h.scan(body)
		case marker == app14 && len(body) >= 12 && string(body[:5]) == "Adobe":
			h.rgb = h.rgb || body[11] == 0
		}
		if err != nil {
			return cost{}, err
		}
		rest = after
	}
	if h.scans == 0 {
		return cost{}, errDamaged()
	}
	area := int64(h.width) * int64(h.height)
	switch {
	case len(h.components) == 4:
		h.memory += 8 * area // ink, and the colours that it is turned into
	case len(h.components) == 3 && h.rgb:
		h.memory += 4 * area
	}
	return h.cost, nil
}

// nextSegment finds the next marker with a body, past entropy-coded data and restarts.
func nextSegment(b []byte) (marker byte, body, rest []byte, ok bool) {
	for {
		at := bytes.IndexByte(b, 0xff)
		if at < 0 || at+1 >= len(b) {
			return 0, nil, nil, false
		}
		marker, b = b[at+1], b[at+1:]
		switch {
		case marker == 0xff: // a fill byte
			continue
		case marker == 0 || marker >= 0xd0 && marker <= 0xd7:
			b = b[1:]
			continue
		case marker == 0xd9:
			return marker, nil, nil, true
		}
		if len(b) < 3 {
			return 0, nil, nil, false
		}
		size := int(binary.BigEndian.Uint16(b[1:]))
		if size < 2 || len(b) < 1+size {
			return 0, nil, nil, false
		}
		return marker, b[3 : 1+size], b[1+size:], true
	}
}

// frame reads a start of frame: what the picture and its components measure.
func (h *jpegHeader) frame(progressive bool, b []byte) error {
	if len(b) < 6 || h.components != nil {
		return errDamaged()
	}
	n := int(b[5])
	if n < 1 || n > 4 || len(b) != 6+3*n {
		return errDamaged()
	}
	h.progressive = progressive
	h.height, h.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	ids := make([]byte, 0, n)
	for i := range n {
		c := b[6+3*i:]
		across, down := int64(c[1]>>4), int64(c[1]&15)
		if n == 1 { // the only component is never subsampled
			across, down = 1, 1
		}
		if across < 1 || across > 4 || down < 1 || down > 4 {
			return errDamaged()
		}
		// In units of the first component's blocks, as Go's decoder counts them.
		ids = append(ids, c[0])
		h.components = append(h.components, jpegComponent{c[0], across * down})
	}
	across, down := int(b[7]>>4), int(b[7]&15)
	if n == 1 {
		across, down = 1, 1
	}
	units := int64((h.width+8*across-1)/(8*across)) * int64((h.height+8*down-1)/(8*down))
	for i := range h.components {
		h.components[i].blocks *= units
		h.pixels += 64 * h.components[i].blocks
	}
	h.memory = h.pixels
	if progressive {
		h.memory += 4 * h.pixels // coefficients have 32 bits
	}
	h.rgb = h.rgb || string(ids) == "RGB"
	return nil
}

// scan adds the cost of one scan: a visit to each block of its components.
func (h *jpegHeader) scan(b []byte) error {
	if len(b) < 1 || h.components == nil {
		return errDamaged()
	}
	n := int(b[0])
	if n < 1 || len(b) != 4+2*n {
		return errDamaged()
	}
	if h.scans++; h.scans > maxScans {
		return badPhoto("The photo has too many scans. Save it as an ordinary JPEG.")
	}
	for i := range n {
		id := b[1+2*i]
		for _, c := range h.components {
			if c.id == id {
				h.work += c.blocks * h.visit(b[1+2*n:])
			}
		}
		if !h.progressive && h.seen[id] { // once is all that the standard allows
			return errDamaged()
		}
		h.seen[id] = true
	}
	return nil
}

// visit is what a scan does to one block: b holds its band and its precision.
func (h *jpegHeader) visit(b []byte) int64 {
	const turn, dc, transform = 40, 60, 120
	switch from, to := int64(b[0]), int64(b[1]); {
	case !h.progressive:
		return transform
	case from == 0:
		return dc
	case b[2]>>4 != 0 && to > from: // refined, coefficient by coefficient
		return turn + to - from
	}
	return turn
}
