package api

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // decoder, chosen by what the bytes are

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decoder

	"github.com/hexhail/hexhail/ride"
)

// The bounds of photos.
const (
	maxPhotoBytes  = 5 << 20
	maxPhotoPixels = 20_000_000
	photoSide      = 512
	photoQuality   = 85
	// maxUploadBytes leaves room for the fields of a form around a photo.
	maxUploadBytes = maxPhotoBytes + 128<<10
)

// photos turns what people upload into small plain JPEGs. Safe for concurrent use.
type photos struct {
	room chan struct{} // held from before an upload is read
	turn chan struct{} // held while decoding
}

// newPhotos lets so many uploads be in memory, and so many of them be decoded, at once.
func newPhotos(uploads, decoders int) *photos {
	return &photos{room: make(chan struct{}, max(1, uploads)), turn: make(chan struct{}, max(1, decoders))}
}

// enter makes room for an upload, or refuses with ride.ErrUnavailable; the caller must
// call what it returns when it is done with it.
func (p *photos) enter() (func(), error) {
	select {
	case p.room <- struct{}{}:
		return func() { <-p.room }, nil
	default:
		return nil, ride.ErrUnavailable.With("Too many photos are being read; try again in a moment.")
	}
}

// normalise decodes a picture and encodes it anew: nothing of the original file is
// left but its pixels, turned the right way up. It returns ride.ErrInvalidArgument or
// ride.ErrUnavailable.
func (p *photos) normalise(ctx context.Context, data []byte) ([]byte, error) {
	if err := checkPhoto(data); err != nil {
		return nil, err
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ride.ErrUnavailable.With("Too many photos are being read; try again in a moment.")
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, badPhoto("The photo is damaged.")
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(shrink(src), orientation(data)), &jpeg.Options{Quality: photoQuality}); err != nil {
		return nil, badPhoto("The photo cannot be used.")
	}
	return out.Bytes(), nil
}

func badPhoto(sentence string) error { return ride.ErrInvalidArgument.In("photo").With("%s", sentence) }

// checkPhoto decides by the first bytes alone, before anything large is allocated.
func checkPhoto(data []byte) error {
	switch {
	case len(data) == 0:
		return badPhoto("There is no photo.")
	case len(data) > maxPhotoBytes:
		return badPhoto("A photo has at most 5 MB.")
	case !sniffed(data):
		return badPhoto("A photo is a JPEG, PNG or WebP file.")
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return badPhoto("The photo is damaged.")
	}
	if int64(c.Width)*int64(c.Height) > maxPhotoPixels {
		return badPhoto("A photo has at most 20 megapixels.")
	}
	return nil
}

func sniffed(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) ||
		bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) ||
		len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
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
