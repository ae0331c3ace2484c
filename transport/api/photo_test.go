package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// halves is a picture whose left half is red and whose right half is blue.
func halves(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func somePNG(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, halves(w, h)))
	return b.Bytes()
}

// someJPEG is a JPEG that says how the camera was held, and where.
func someJPEG(t testing.TB, w, h, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, halves(w, h), nil))
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x02" +
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00" +
		"\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x00" + "\x00\x00\x00\x00GPS 37.4979,127.0276")
	binary.BigEndian.PutUint16(tiff[18:], uint16(orientation))
	exif := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(exif)+2))
	return append(append(head, exif...), b.Bytes()[2:]...)
}

// claimedPNG has a header that claims a size, and next to nothing else.
func claimedPNG(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

func someWebP(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "pixel.webp"))
	require.NoError(t, err)
	return b
}

// TestARemovedPhotoIsGone: also when the client leaves in the middle.
func TestARemovedPhotoIsGone(t *testing.T) {
	w := newWorld(t)
	var v accountView
	w.do(request{method: "PUT", path: "/v1/me/photo", as: "rider", body: somePNG(t, 40, 30), contentType: "image/png"}).ok(200, &v)
	require.Equal(t, 200, w.do(request{method: "GET", path: v.PhotoURL}).Code)
	ctx, leave := context.WithCancel(t.Context())
	w.store.Fail = func(method string) error {
		if method == "UpdateAccount" {
			leave()
		}
		return nil
	}
	w.do(request{method: "DELETE", path: "/v1/me/photo", as: "rider", ctx: ctx})
	require.Error(t, ctx.Err())
	w.do(request{method: "GET", path: v.PhotoURL}).refused(ride.ErrNotFound, 404)
}

func TestPhotosAreMadeSmallAndPlain(t *testing.T) {
	p := newPhotos(1, 1)
	for name, c := range map[string]struct {
		data []byte
		w, h int
	}{
		"jpeg":        {someJPEG(t, 1000, 500, 1), 512, 256},
		"png":         {somePNG(t, 300, 1200), 128, 512},
		"small":       {somePNG(t, 40, 30), 40, 30},
		"very narrow": {somePNG(t, 2000, 1), 512, 1},
		"webp":        {someWebP(t), 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := p.normalise(t.Context(), c.data, false)
			require.NoError(t, err)
			got, format, err := image.Decode(bytes.NewReader(out))
			require.NoError(t, err)
			require.Equal(t, "jpeg", format)
			require.Equal(t, image.Pt(c.w, c.h), got.Bounds().Size())
			require.NotContains(t, string(out), "Exif")
			require.NotContains(t, string(out), "37.4979")
		})
	}
}

// TestPhotosAreTurnedUpright: the red half is on the left of the stored pixels. Where
// it must be shown follows from the EXIF standard.
func TestPhotosAreTurnedUpright(t *testing.T) {
	p := newPhotos(1, 1)
	for orientation, red := range map[int]string{
		1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom", 9: "left", 0: "left",
	} {
		out, err := p.normalise(t.Context(), someJPEG(t, 64, 32, orientation), false)
		require.NoError(t, err)
		m, err := jpeg.Decode(bytes.NewReader(out))
		require.NoError(t, err)
		b := m.Bounds()
		at := map[string]image.Point{
			"left": {4, b.Dy() / 2}, "right": {b.Dx() - 5, b.Dy() / 2}, "top": {b.Dx() / 2, 4}, "bottom": {b.Dx() / 2, b.Dy() - 5},
		}[red]
		r, _, blue, _ := m.At(at.X, at.Y).RGBA()
		require.Greater(t, r, blue, "orientation %d: red must be at the %s", orientation, red)
		require.Equal(t, red == "top" || red == "bottom", b.Dy() > b.Dx(), "orientation %d", orientation)
	}
}

func TestOrientationIsExact(t *testing.T) {
	// a b     the pixels as stored; where a goes tells rotations from mirrors
	// c d
	src := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i, v := range []uint8{1, 2, 3, 4} {
		src.SetRGBA(i%2, i/2, color.RGBA{R: v, A: 255})
	}
	for o, want := range map[int][4]uint8{
		1: {1, 2, 3, 4}, 2: {2, 1, 4, 3}, 3: {4, 3, 2, 1}, 4: {3, 4, 1, 2},
		5: {1, 3, 2, 4}, 6: {3, 1, 4, 2}, 7: {4, 2, 3, 1}, 8: {2, 4, 1, 3},
	} {
		m := upright(src, o)
		require.Equal(t, want, [4]uint8{m.RGBAAt(0, 0).R, m.RGBAAt(1, 0).R, m.RGBAAt(0, 1).R, m.RGBAAt(1, 1).R}, "orientation %d", o)
	}
}

func TestBadPhotos(t *testing.T) {
	p := newPhotos(1, 1)
	good := somePNG(t, 64, 64)
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "GIF": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
		"SVG":           []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"HTML":          []byte("<html><script>alert(1)</script>"),
		"cut":           good[:len(good)/2],
		"21 megapixels": claimedPNG(5000, 4200),
		"a bomb":        claimedPNG(1<<31-1, 1<<31-1),
		"no pixels":     claimedPNG(0, 0),
		"just a magic":  []byte("\xff\xd8\xff"),
		"just RIFF":     []byte("RIFF\x00\x00\x00\x00WEBP"),
		"too large":     append(bytes.Clone(good), make([]byte, maxPhotoBytes)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.normalise(t.Context(), data, false)
			require.ErrorIs(t, err, ride.ErrInvalidArgument)
		})
	}
}

func TestPhotoDecodingIsBounded(t *testing.T) {
	p := newPhotos(1, 1)
	p.decoders <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.normalise(ctx, somePNG(t, 8, 8), false)
	require.ErrorIs(t, err, ride.ErrUnavailable)
}

func TestUploadsAreBounded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Uploads = 1 })
	_, leave, err := w.photos.enter(t.Context(), "somebody", false)
	require.NoError(t, err)
	put := request{method: "PUT", path: "/v1/me/photo", as: "rider", contentType: "image/png", body: somePNG(t, 8, 8)}
	w.do(put).refused(ride.ErrUnavailable, 503)
	b, ct := form(t, [2]string{"username", "ada"})
	w.do(request{method: "POST", path: "/v1/accounts", body: b, contentType: ct}).refused(ride.ErrUnavailable, 503)
	leave()
	w.do(put).ok(200, nil)
	w.do(put).ok(200, nil)
}

func TestPhotoOfAnAccount(t *testing.T) {
	w := newWorld(t)
	put := func(ct string, data []byte) *response {
		return w.do(request{method: "PUT", path: "/v1/me/photo", as: "rider", contentType: ct, body: data})
	}
	var v accountView
	put("image/jpeg", someJPEG(t, 100, 100, 6)).ok(200, &v)
	first := v.PhotoURL
	require.Equal(t, 200, w.do(request{method: "GET", path: first}).Code)
	b, ct := form(t, [2]string{"photo", string(somePNG(t, 10, 10))})
	put(ct, b).ok(200, &v)
	require.NotEqual(t, first, v.PhotoURL)
	w.do(request{method: "GET", path: first}).refused(ride.ErrNotFound, 404)

	b, ct = form(t, [2]string{"username", "x"})
	put(ct, b).refused(ride.ErrMalformed, 400)
	b, ct = form(t)
	put(ct, b).refused(ride.ErrInvalidArgument, 422)
	b, ct = form(t, [2]string{"photo", string(somePNG(t, 10, 10))})
	put(ct, b[:len(b)-10]).refused(ride.ErrMalformed, 400)
	put("image/gif", []byte("GIF89a")).refused(ride.ErrMalformed, 415)
	put("image/png", []byte("GIF89a")).refused(ride.ErrInvalidArgument, 422)
	put("image/png", make([]byte, maxPhotoBytes+1)).refused(ride.ErrMalformed, 413)
	require.Equal(t, 200, w.do(request{method: "GET", path: v.PhotoURL}).Code, "a refused photo leaves the one before")

	w.do(request{method: "DELETE", path: "/v1/me/photo", as: "rider"}).ok(204, nil)
	w.do(request{method: "GET", path: v.PhotoURL}).refused(ride.ErrNotFound, 404)
	w.do(request{method: "DELETE", path: "/v1/me/photo", as: "rider"}).ok(204, nil)
}

func FuzzPhoto(f *testing.F) {
	f.Add(someJPEG(f, 16, 8, 6))
	f.Add(somePNG(f, 8, 8))
	f.Add(someWebP(f))
	f.Add(claimedPNG(5000, 4200))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x08Exif\x00\x00"))
	p := newPhotos(1, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<20 {
			return // allowed, but too slow to try often
		}
		out, err := p.normalise(context.Background(), data, false)
		if err != nil {
			if !errors.Is(err, ride.ErrInvalidArgument) {
				t.Fatal(err)
			}
			return
		}
		c, format, err := image.DecodeConfig(bytes.NewReader(out))
		if err != nil || format != "jpeg" || max(c.Width, c.Height) > photoSide {
			t.Fatalf("not a small JPEG: %v %v %v", c, format, err)
		}
	})
}
