package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

var script = strings.Repeat("console.log('a hexagon has six neighbours');\n", 50)

func testSite(t *testing.T) *Site {
	t.Helper()
	s, err := newSite(fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>Hexhail</title>" + strings.Repeat("<!-- -->", 100))},
		"assets/app.js":        {Data: []byte(script)},
		"assets/tiny.js":       {Data: []byte("1")},
		"icon.png":             {Data: []byte("\x89PNG" + strings.Repeat("x", 2000))},
		"manifest.webmanifest": {Data: []byte(`{"name":"Hexhail"}`)},
	}, Policy{})
	require.NoError(t, err)
	return s
}

// ask sends one request; headers come in pairs.
func ask(t *testing.T, h http.Handler, method, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(b)
}

func TestPagesAreTheApp(t *testing.T) {
	s := testSite(t)
	for _, p := range []string{"/", "/ride", "/trips", "/trips/01a203dc-453f-7695-98a4-f9a43c94d7db", "/ops/map", "/login?next=%2Fride"} {
		res := ask(t, s, http.MethodGet, p, "Accept", "text/html,*/*;q=0.8")
		require.Equal(t, 200, res.StatusCode, p)
		require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"), p)
		require.Equal(t, "no-cache", res.Header.Get("Cache-Control"), p)
		require.Contains(t, text(t, res), "<title>Hexhail</title>", p)
	}
}

func TestTheListOfPagesIsTheRouters(t *testing.T) {
	source, err := os.ReadFile("app/src/routes/router.tsx")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`\.\.\.page\('/([a-z]*)`).FindAllSubmatch(source, -1) {
		found[string(m[1])] = true
	}
	require.Greater(t, len(found), 5, "the router is written otherwise now")
	var want []string
	for p := range found {
		want = append(want, p)
	}
	require.ElementsMatch(t, want, pages)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s := testSite(t)
	for _, p := range []string{"/assets/none.js", "/assets/", "/assets", "/v1/none", "/openapi.json", "/index.html", "/../embed.go", "/ride//x", "/.env"} {
		res := ask(t, s, http.MethodGet, p)
		require.Equal(t, 404, res.StatusCode, p)
		require.NotContains(t, text(t, res), "<title>", p)
	}
	// People see the app's own page, and their history remembers no success.
	res := ask(t, s, http.MethodGet, "/nowhere", "Accept", "text/html")
	require.Equal(t, 404, res.StatusCode)
	require.Contains(t, text(t, res), "<title>Hexhail</title>")
	// A program that looks for a script gets no page, whatever it accepts.
	res = ask(t, s, http.MethodGet, "/assets/none.js", "Accept", "text/html")
	require.NotContains(t, text(t, res), "<title>")
}

func TestFilesAreTaggedAndCompressed(t *testing.T) {
	s := testSite(t)
	plain := ask(t, s, http.MethodGet, "/assets/app.js")
	require.Equal(t, script, text(t, plain))
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	require.Equal(t, "text/javascript; charset=utf-8", plain.Header.Get("Content-Type"))

	packed := ask(t, s, http.MethodGet, "/assets/app.js", "Accept-Encoding", "br, gzip")
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"))
	body := text(t, packed)
	require.Less(t, len(body), len(script)/4)
	unpacked, err := gzip.NewReader(strings.NewReader(body))
	require.NoError(t, err)
	all, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.Equal(t, script, string(all))

	// Each form has its own tag, and knows itself again.
	require.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
	again := ask(t, s, http.MethodGet, "/assets/app.js", "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag"))
	require.Equal(t, 304, again.StatusCode)
	require.Empty(t, text(t, again))
	require.Equal(t, 200, ask(t, s, http.MethodGet, "/assets/app.js", "If-None-Match", packed.Header.Get("ETag")).StatusCode)

	for path, why := range map[string]string{"/icon.png": "it is compressed already", "/assets/tiny.js": "it saves nothing"} {
		require.Empty(t, ask(t, s, http.MethodGet, path, "Accept-Encoding", "gzip").Header.Get("Content-Encoding"), why)
	}
	require.Equal(t, "application/manifest+json", ask(t, s, http.MethodGet, "/manifest.webmanifest").Header.Get("Content-Type"))
}

func TestHeadAndOtherMethods(t *testing.T) {
	s := testSite(t)
	head := ask(t, s, http.MethodHead, "/assets/app.js")
	require.Equal(t, 200, head.StatusCode)
	require.Empty(t, text(t, head))
	require.Equal(t, ask(t, s, http.MethodGet, "/assets/app.js").Header.Get("ETag"), head.Header.Get("ETag"))
	require.Empty(t, text(t, ask(t, s, http.MethodHead, "/nowhere", "Accept", "text/html")))
	for _, m := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		res := ask(t, s, m, "/ride")
		require.Equal(t, 405, res.StatusCode, m)
		require.Equal(t, "GET, HEAD", res.Header.Get("Allow"))
	}
	part := ask(t, s, http.MethodGet, "/assets/app.js", "Range", "bytes=0-3")
	require.Equal(t, 200, part.StatusCode, "files are sent whole")
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "*": true, "gzip; q=0.001": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "xgzip": false,
	} {
		require.Equal(t, want, acceptsGzip(header), header)
	}
}

func TestEveryAnswerKeepsPagesIn(t *testing.T) {
	s, err := newSite(fstest.MapFS{"index.html": {Data: []byte("x")}}, Policy{
		PublicURL: "https://rides.example.org",
		Sources: []string{
			"https://tiles.example.org/style.json?key=1", "https://tiles.example.org/other", "", "http://photon.local:2322/api",
			"javascript:alert(1)", "https://evil.example;script-src *", "https://*",
		},
	})
	require.NoError(t, err)
	for _, p := range []string{"/", "/assets/none.js", "/nowhere"} {
		h := ask(t, s, http.MethodGet, p).Header
		csp := map[string]string{}
		for d := range strings.SplitSeq(h.Get("Content-Security-Policy"), "; ") {
			name, values, _ := strings.Cut(d, " ")
			csp[name] = values
		}
		require.Equal(t, "'self'", csp["script-src"], "no script from elsewhere, none inline, none evaluated")
		require.Equal(t, "'self'", csp["default-src"])
		require.Equal(t, "'none'", csp["frame-ancestors"])
		require.Equal(t, "'none'", csp["base-uri"])
		require.Equal(t, "'none'", csp["object-src"])
		require.Equal(t, "'self' https://tiles.example.org http://photon.local:2322 wss://rides.example.org", csp["connect-src"])
		require.Equal(t, "'self' data: blob: https://tiles.example.org http://photon.local:2322", csp["img-src"])
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"))
		require.Contains(t, h.Get("Permissions-Policy"), "geolocation=(self), screen-wake-lock=(self)")
		require.Contains(t, h.Get("Permissions-Policy"), "camera=()")
		require.NotEmpty(t, h.Get("Referrer-Policy"))
	}
}

func TestTheEmbeddedAppIsWhole(t *testing.T) {
	s, err := New(Policy{})
	require.NoError(t, err)
	page := text(t, ask(t, s, http.MethodGet, "/", "Accept", "text/html"))
	references := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, references)
	for _, m := range references {
		require.Equal(t, 200, ask(t, s, http.MethodGet, m[1]).StatusCode, m[1])
	}
	// The policy allows no inline script; one in the page would be dead, and a bug.
	require.NotRegexp(t, `<script(?:\s[^>]*)?>[^<]`, page)
	require.NotRegexp(t, `\son\w+=`, page)
	for _, name := range s.Files() {
		if strings.HasSuffix(name, ".js") {
			require.False(t, bytes.Contains(s.files[name].plain, []byte("sourceMappingURL=")), name)
		}
	}
}

func TestNoAppNoSite(t *testing.T) {
	_, err := newSite(fstest.MapFS{"x.js": {}}, Policy{})
	require.ErrorIs(t, err, errNoIndex)
}
