package api

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/hexhail/hexhail/ride"
)

// The form of stored photos.
const (
	photoSide    = 512
	photoQuality = 85
	// maxUploadBytes leaves room for the fields of a form around a photo.
	maxUploadBytes = maxPhotoBytes + 128<<10
)

// normalise decodes and re-encodes a picture: only the pixels of the original file
// remain, turned the right way up. guest means that the client is not signed in. It
// returns ride.ErrInvalidArgument, ride.ErrUnavailable or, when the server stops,
// ride.ErrShuttingDown.
func (p *photos) normalise(ctx context.Context, data []byte, guest bool) ([]byte, error) {
	c, err := checkPhoto(data)
	if err != nil {
		return nil, err
	}
	done, err := p.wait(ctx, c.memory, guest)
	if err != nil {
		return nil, err
	}
	defer done()
	src, err := decodePhoto(untilDone{ctx, bytes.NewReader(data)}, data)
	if ctx.Err() != nil {
		return nil, p.stopped()
	}
	if err != nil {
		return nil, errDamaged()
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(shrink(src), orientation(data)), &jpeg.Options{Quality: photoQuality}); err != nil {
		return nil, badPhoto("The photo cannot be used.")
	}
	return out.Bytes(), nil
}

// decodePhoto decodes r, which reads data, by what its first bytes are.
func decodePhoto(r io.Reader, data []byte) (image.Image, error) {
	switch data[0] {
	case 0xff:
		return jpeg.Decode(r)
	case 0x89:
		return png.Decode(r)
	}
	return webp.Decode(r)
}

// untilDone reads until its context ends. Decoders read a few kilobytes at a time.
type untilDone struct {
	ctx context.Context //nolint:containedctx // lives as long as one call of a decoder, which takes no context
	r   io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}

func badPhoto(sentence string) error { return ride.ErrInvalidArgument.In("photo").With("%s", sentence) }

// checkPhoto decides by headers alone, before anything large is allocated, and says what
// decoding costs.
func checkPhoto(data []byte) (cost, error) {
	switch {
	case len(data) == 0:
		return cost{}, badPhoto("There is no photo.")
	case len(data) > maxPhotoBytes:
		return cost{}, badPhoto("A photo has at most 5 MB.")
	}
	return costOf(data)
}

// shrink fits a picture into a square of photoSide, on white where it is transparent.
// Pictures that fit keep their size.
func shrink(src image.Image) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if long := max(w, h); long > photoSide {
		w, h = max(1, w*photoSide/long), max(1, h*photoSide/long)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Over, nil)
	return dst
}

// upright undoes an EXIF orientation, 1 to 8.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if orientation >= 5 {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range dh {
		for x := range dw {
			sx, sy := x, y
			switch orientation {
			case 2: // mirrored
				sx = w - 1 - x
			case 3: // upside down
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5: // mirrored, on its side
				sx, sy = y, x
			case 6: // must be turned clockwise
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8: // must be turned counter-clockwise
				sx, sy = w-1-y, x
			}
			dst.SetRGBA(x, y, src.RGBAAt(sx, sy))
		}
	}
	return dst
}
