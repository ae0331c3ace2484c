package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOverARealConnection does what a recorder cannot show: deadlines and bodies that
// are cut off.
func TestOverARealConnection(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w)
	defer srv.Close()
	put := func(ct string, body []byte) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL+"/v1/me/photo", bytes.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", ct)
		r.Header.Set("Authorization", "Bearer "+w.people["rider"].Access)
		resp, err := srv.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(b)
	}
	resp, body := put("image/png", somePNG(t, 600, 600))
	require.Equal(t, 200, resp.StatusCode, body)
	b, ct := form(t, [2]string{"photo", string(somePNG(t, 60, 60))})
	resp, body = put(ct, b)
	require.Equal(t, 200, resp.StatusCode, body)

	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{%s", bytes.Repeat([]byte(" "), 70_000))
	require.NoError(t, err)
	resp, err = http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 413, resp.StatusCode, "refused before the whole body came")
}
