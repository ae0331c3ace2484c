package ws

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHeadersAreBoundedToTheByte: 16 KiB of request line and headers pass, a byte more does not, up
// to where the server itself stops reading, however they are made up.
func TestHeadersAreBoundedToTheByte(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	Harden(srv.Config)
	srv.Start()
	defer srv.Close()
	ask := func(request string) int {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = io.WriteString(c, request)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	forms := map[string]func(fill string) string{
		"one header":  func(fill string) string { return "GET / HTTP/1.1\r\nHost: x\r\nX-Fill: " + fill + "\r\n\r\n" },
		"a long path": func(fill string) string { return "GET /" + fill + " HTTP/1.1\r\nHost: x\r\n\r\n" },
		"many headers": func(fill string) string {
			return "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: "+strings.Repeat("b", 150)+"\r\n", 50) + "X-Fill: " + fill + "\r\n\r\n"
		},
		"a socket's": func(fill string) string {
			return "GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Version: 13\r\n" +
				"Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + fill + "\r\n\r\n"
		},
	}
	for name, form := range forms {
		of := func(size int) string { return form(strings.Repeat("f", size-len(form("")))) }
		require.Equal(t, http.StatusNoContent, ask(of(MaxHeaderBytes)), name)
		for _, more := range []int{1, 900, 1 << 10, 4000} {
			require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, ask(of(MaxHeaderBytes+more)), "%s: %d more", name, more)
		}
	}
}
