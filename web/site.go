package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// pages are the first segments of the app's addresses, as web/app/src/routes/router.tsx has
// them (a test compares). They are all answered with the one page, which finds out by
// itself what to show. Anything else is not found, and said to be.
var pages = []string{"", "signup", "login", "profile", "ride", "drive", "earnings", "trips", "ops"}

// Site serves the built app. It starts no goroutine and is safe for concurrent use. Its
// memory is bounded by the embedded files: each is compressed once, when first asked for.
type Site struct {
	files   map[string]*file // by path, such as "assets/app.js"
	index   *file
	headers map[string]string
}

// file is one embedded file in both of its forms.
type file struct {
	name, contentType string
	plain             []byte
	etag              string
	gzipped           func() []byte // nil where it would save next to nothing
}

// errNoIndex says that the app was not built before the server.
var errNoIndex = errors.New("web/dist has no index.html: run npm run build in web")

// New makes the site of the embedded app.
func New(p Policy) (*Site, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return newSite(built, p)
}

func newSite(built fs.FS, p Policy) (*Site, error) {
	s := &Site{files: map[string]*file{}, headers: p.headers()}
	err := fs.WalkDir(built, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		s.files[name] = newFile(name, text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the built app: %w", err)
	}
	if s.index = s.files["index.html"]; s.index == nil {
		return nil, errNoIndex
	}
	delete(s.files, "index.html") // one page, one address
	return s, nil
}

func newFile(name string, text []byte) *file {
	sum := sha256.Sum256(text)
	f := &file{name: name, plain: text, contentType: contentType(name), etag: hex.EncodeToString(sum[:12])}
	if compressible(f.contentType) && len(text) > 512 {
		f.gzipped = sync.OnceValue(func() []byte { return compress(text) })
	}
	return f
}

// contentType knows the types of what a build makes, wherever the server runs: the
// system's own table differs from machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compressible(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || strings.HasSuffix(t, "+xml") || t == "application/wasm"
}

func compress(text []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(text) // memory takes everything
	_ = w.Close()
	return out.Bytes()
}

// ServeHTTP answers GET and HEAD.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range s.headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This address takes GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if f := s.files[name]; f != nil {
		s.send(w, r, f)
		return
	}
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains(pages, first) && path.Clean(r.URL.Path) == r.URL.Path {
		s.send(w, r, s.index)
		return
	}
	s.notFound(w, r)
}

// send answers with a file, or with 304 where the browser has it already. Names stay when
// contents change, so browsers ask each time ("no-cache"); the tag makes that cheap.
func (s *Site) send(w http.ResponseWriter, r *http.Request, f *file) {
	h := w.Header()
	body, tag := f.plain, f.etag
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			body, tag = f.gzipped(), f.etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+tag+`"`)
	r.Header.Del("Range") // whole files are small
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(body))
	// ServeContent leaves the length of encoded contents to the connection.
}

// notFound sends people to the app, which says so in their language, and programs a line.
func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	if path.Ext(r.URL.Path) != "" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "There is nothing at this address.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", s.index.contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.index.plain)
	}
}

// acceptsGzip reads Accept-Encoding as far as it matters here.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if c := strings.TrimSpace(coding); !strings.EqualFold(c, "gzip") && c != "*" {
			continue
		}
		q := strings.ReplaceAll(quality, " ", "")
		return !strings.HasPrefix(q, "q=0") || strings.Trim(q, "q=0.") != ""
	}
	return false
}

// Files lists what is served besides the pages, for tests and for the curious.
func (s *Site) Files() []string { return slices.Sorted(maps.Keys(s.files)) }
