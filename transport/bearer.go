package transport

import (
	"net/http"
	"strings"
)

// BearerToken returns the access token of a request's Authorization header. ok is false
// unless there is exactly one such header, and it holds a bearer token after a single space.
func BearerToken(h http.Header) (token string, ok bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && !strings.HasPrefix(token, " ")
}
