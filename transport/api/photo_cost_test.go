package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// The three samplings of colour that are in use.
var (
	full    = [3]byte{0x11, 0x11, 0x11}
	half    = [3]byte{0x21, 0x11, 0x11}
	quarter = [3]byte{0x22, 0x11, 0x11}
)

// walks is a bomb of just under 20 megapixels: n further scans of one component.
func walks(sampling [3]byte, n int, s jpegScan) []byte {
	scans := []jpegScan{{1, 0, 0, 0, 0}, {2, 0, 0, 0, 0}, {3, 0, 0, 0, 0}}
	return bomb(5470, 3650, sampling, append(scans, slices.Repeat([]jpegScan{s}, n)...))
}

// TestScansAreCountedBeforeDecoding: what costs much is refused for next to nothing, and
// what is let through decodes, so that the refusals are for their cost alone.
func TestScansAreCountedBeforeDecoding(t *testing.T) {
	p := newPhotos(1, 1)
	first := jpegScan{1, 1, 63, 0, 0}
	refine := jpegScan{1, 1, 63, 1, 0}
	for name, data := range map[string][]byte{
		"end-of-band runs":         walks(quarter, 250, first),
		"full colour":              walks(full, 60, first),
		"half colour":              walks(half, 60, jpegScan{2, 1, 1, 0, 0}),
		"refinements":              walks(quarter, 20, refine),
		"refinements of one":       walks(quarter, 60, jpegScan{1, 5, 5, 3, 2}),
		"DC again and again":       walks(quarter, 40, jpegScan{1, 0, 0, 1, 0}),
		"more scans than any has":  bomb(16, 16, full, slices.Repeat([]jpegScan{first}, maxScans+1)),
		"full colour, progressive": bomb(5470, 3650, full, []jpegScan{{1, 0, 0, 0, 0}}), // 300 MB
		"empty comments":           segments(0xfe, maxSegments+1),
		"tables":                   segments(0xdb, maxSegments+1),
		"a component twice, plain": sequential(walks(full, 3, jpegScan{1, 0, 0, 0, 0})),
		"16-bit PNG":               claimedPNGOf(4400, 4400, 16, 6, 0),
		"16-bit PNG with no alpha": claimedPNGOf(4400, 4400, 16, 2, 0),
		"interlaced 16-bit PNG":    claimedPNGOf(3300, 3300, 16, 6, 1),
		"trees of a lossless WebP": forest(1700, 1700, 2599),
	} {
		t.Run(name, func(t *testing.T) {
			require.Less(t, len(data), maxPhotoBytes)
			var err error
			allocated := testing.AllocsPerRun(1, func() { _, err = p.normalise(t.Context(), data, true) })
			require.ErrorIs(t, err, ride.ErrInvalidArgument)
			require.Less(t, allocated, 100.0)
			_, err = checkPhoto(data)
			require.Error(t, err, "refused before it is decoded")
		})
	}
	_, err := p.normalise(t.Context(), bomb(320, 240, quarter, []jpegScan{
		{1, 0, 0, 0, 1}, {2, 0, 0, 0, 1}, {3, 0, 0, 0, 1}, first, {2, 1, 63, 0, 1}, {3, 1, 63, 0, 1}, refine,
	}), true)
	require.NoError(t, err, "the generator writes what decoders read")
}

// TestHeadersAreReadLikeTheDecoder: an estimate that the decoder does not share would be
// a way around it.
func TestHeadersAreReadLikeTheDecoder(t *testing.T) {
	for _, data := range [][]byte{
		walks(full, 2, jpegScan{1, 1, 63, 0, 0}), walks(quarter, 2, jpegScan{1, 1, 63, 0, 0}), someJPEG(t, 333, 77, 6),
	} {
		c, err := costOf(data)
		require.NoError(t, errorUnlessCost(err))
		if err != nil {
			continue
		}
		d, err := jpeg.DecodeConfig(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, [2]int{d.Width, d.Height}, [2]int{c.width, c.height})
	}
	// Fill bytes, restarts and bytes between segments do not hide a scan.
	data := walks(quarter, 60, jpegScan{1, 1, 63, 0, 0})
	for _, between := range []string{"\xff", "\xff\xff\xff", "\x00\x01", "\xff\x00", "\xff\xd3", "\xff\xfe\x00\x04\xff\xd9"} {
		hidden := bytes.ReplaceAll(data, []byte("\xff\xda"), []byte(between+"\xff\xda"))
		_, err := costOf(hidden)
		require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", between)
	}
}

// errorUnlessCost lets refusals for their cost pass.
func errorUnlessCost(err error) error {
	if err == nil || err.Error() == badPhoto("This photo takes too much to open. Save it as an ordinary JPEG, or make it smaller.").Error() {
		return nil
	}
	return err
}

// TestRealProgressivePhotosPass: written by libjpeg-turbo and mozjpeg, which choose the
// scans that phones, browsers and picture editors write, too.
func TestRealProgressivePhotosPass(t *testing.T) {
	for name, size := range map[string]image.Point{
		"progressive-420.jpg":         {512, 384},
		"progressive-mozjpeg-444.jpg": {512, 384},
		"progressive-grey.jpg":        {512, 384},
		"progressive-cmyk.jpg":        {512, 384},
		"progressive-20mp.jpg":        {512, 341},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			c, err := checkPhoto(data)
			require.NoError(t, err)
			require.Less(t, c.work, int64(maxPhotoWork)*3/4, "with room for other encoders' scans")
			if c.width < photoSide { // the small ones keep their size
				size = image.Pt(c.width, c.height)
			}
			out, err := newPhotos(1, 1).normalise(t.Context(), data, false)
			require.NoError(t, err)
			d, err := jpeg.DecodeConfig(bytes.NewReader(out))
			require.NoError(t, err)
			require.Equal(t, size, image.Pt(d.Width, d.Height))
		})
	}
}

// TestDecodingStaysWithinItsEstimate: memory is bounded by what costOf says.
func TestDecodingStaysWithinItsEstimate(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "progressive-20mp.jpg"))
	require.NoError(t, err)
	const trees = "WebP with many trees"
	for name, data := range map[string][]byte{
		"progressive JPEG": data, "PNG": somePNG(t, 2000, 1000), "JPEG": someJPEG(t, 2000, 1000, 1), trees: forest(100, 100, 625),
	} {
		c, err := costOf(data)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = decodePhoto(bytes.NewReader(data), data)
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		const others = 4 << 20 // tables, and what else runs in this process
		if name == trees {     // each is built from lists that are garbage afterwards
			require.Greater(t, after.TotalAlloc-before.TotalAlloc, uint64(c.memory), "the generator plants them")
			c.memory *= 2
		}
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(c.memory)+others, name)
	}
}

// TestDecodingStopsWithItsContext: at the next few kilobytes.
func TestDecodingStopsWithItsContext(t *testing.T) {
	data := somePNG(t, 600, 600)
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	whole := bytes.NewReader(data)
	_, err := decodePhoto(untilDone{ctx, readerFunc(func(b []byte) (int, error) {
		if reads++; reads == 8 {
			cancel()
		}
		return whole.Read(b[:min(len(b), 64)])
	})}, data)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 8, reads)

	p := newPhotos(4, 2)
	ctx, leave, err := p.enter(t.Context(), "somebody", true)
	require.NoError(t, err)
	defer leave()
	p.stop()
	_, err = p.normalise(ctx, data, true)
	require.ErrorIs(t, err, ride.ErrShuttingDown)
	_, _, err = p.enter(t.Context(), "somebody else", false)
	require.ErrorIs(t, err, ride.ErrShuttingDown)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestStrangersLeaveRoomForPhotos: they hold at most half of the room and of the decoders, one
// network or account holds a few, and no request waits for long.
func TestStrangersLeaveRoomForPhotos(t *testing.T) {
	p := newPhotos(8, 2)
	const briefly, free = time.Millisecond, time.Minute // where there is room, nothing waits
	wait := func(atMost time.Duration, memory int64, guest bool) (func(), error) {
		p.waitAtMost = atMost
		return p.wait(t.Context(), memory, guest)
	}
	enter := func(who string, guest bool) error {
		_, _, err := p.enter(t.Context(), who, guest)
		return err
	}
	for range maxUploadsEach {
		require.NoError(t, enter("198.51.100.1", true))
	}
	require.ErrorIs(t, enter("198.51.100.1", true), ride.ErrTooMany)
	require.ErrorIs(t, enter("198.51.100.2", true), ride.ErrUnavailable)
	for range maxUploadsEach {
		require.NoError(t, enter("rider", false))
	}
	require.ErrorIs(t, enter("driver", false), ride.ErrUnavailable)

	done, err := wait(free, 1, true)
	require.NoError(t, err)
	_, err = wait(briefly, 1, true)
	require.ErrorIs(t, err, ride.ErrUnavailable, "a bounded wait")
	other, err := wait(free, 1, false)
	require.NoError(t, err)
	other()
	_, err = wait(briefly, maxPhotoMemory, false)
	require.ErrorIs(t, err, ride.ErrUnavailable, "memory is shared by all decoders")
	done()
	done, err = wait(free, maxPhotoMemory, true)
	require.NoError(t, err)
	done()
	require.Empty(t, p.decoders)
	require.Empty(t, p.guestDecoders)
}

// TestAStrangersPhotoComesLast: what can be refused without decoding is.
func TestAStrangersPhotoComesLast(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rates.Photo = Rate{PerSecond: 1e-9, Burst: 1} })
	// Without a free decoder, a request for one times out.
	w.photos.decoders <- struct{}{}
	w.photos.decoders <- struct{}{}
	w.photos.waitAtMost = time.Millisecond
	post := func(username, password string, photo []byte) *response {
		b, ct := form(t, [2]string{"photo", string(photo)}, [2]string{"username", username}, [2]string{"password", password},
			[2]string{"first_name", "A"}, [2]string{"last_name", "B"}, [2]string{"role", "rider"})
		return w.do(request{method: "POST", path: "/v1/accounts", body: b, contentType: ct})
	}
	good := somePNG(t, 8, 8)
	post("rider", password, good).refused(ride.ErrUsernameTaken, 409)
	post("ada", "password", good).refused(ride.ErrInvalidArgument, 422)
	post("a", password, good).refused(ride.ErrInvalidArgument, 422)
	post("ada", password, walks(quarter, 60, jpegScan{1, 1, 63, 0, 0})).refused(ride.ErrInvalidArgument, 422)
	post("ada", password, good).refused(ride.ErrUnavailable, 503)
	<-w.photos.decoders
	<-w.photos.decoders
	w.photos.waitAtMost = time.Minute
	post("ada", password, good).refused(ride.ErrTooMany, 429)
	w.do(request{method: "PUT", path: "/v1/me/photo", as: "rider", body: good, contentType: "image/png"}).ok(200, nil)
}

// segments is a small JPEG with n empty segments.
func segments(marker byte, n int) []byte {
	b := []byte{0xff, 0xd8}
	for range n {
		b = append(b, 0xff, marker, 0, 2)
	}
	return append(b, bomb(8, 8, full, []jpegScan{{1, 0, 0, 0, 0}})[2:]...)
}

// sequential calls a progressive JPEG a plain one.
func sequential(b []byte) []byte {
	return bytes.Replace(b, []byte{0xff, 0xc2}, []byte{0xff, 0xc0}, 1)
}

// claimedPNGOf has a header of a PNG, and next to nothing else.
func claimedPNGOf(w, h uint32, depth, kind, interlace byte) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, depth, kind, 0, 0, interlace)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}
