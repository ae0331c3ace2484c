package api

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// BenchmarkPhoto is what the largest photo costs.
func BenchmarkPhoto(b *testing.B) {
	var big bytes.Buffer
	if err := jpeg.Encode(&big, image.NewGray(image.Rect(0, 0, 5000, 4000)), nil); err != nil {
		b.Fatal(err)
	}
	p := newPhotos(1, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.normalise(b.Context(), big.Bytes(), false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetMe is one request, but for the network and the store.
func BenchmarkGetMe(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		w.do(request{method: "GET", path: "/v1/me", as: "rider"}).ok(200, nil)
	}
}
