package api

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a JSON body.
const (
	maxJSONBytes = 64 << 10
	maxJSONDepth = 32
)

// errJSON is all that a client learns of a body that cannot be read: the words of a
// JSON library may quote the body, which may hold a password.
var errJSON = errors.New("the body is not JSON as it is read here: one object, each known name at most once, " +
	"UTF-8 without NUL, at most 64 KiB and 32 levels deep")

// strictFormat reads JSON so that no two readers can see different things in it:
// duplicate names, other spellings of a name, unknown names, NUL and invalid UTF-8 are
// refused.
var strictFormat = huma.Format{
	Marshal:   func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
	Unmarshal: unmarshalStrict,
}

func unmarshalStrict(data []byte, v any) error {
	if len(data) > maxJSONBytes || !plainJSON(data) {
		return errJSON
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return errJSON
	}
	return nil
}

// plainJSON checks depth and text, in one pass without recursion.
func plainJSON(data []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := d.ReadToken()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if d.StackDepth() > maxJSONDepth {
			return false
		}
		if tok.Kind() == '"' && strings.ContainsRune(tok.String(), 0) {
			return false
		}
	}
}

// fieldPath turns huma's location, such as "body.vehicle.class", into a field's path.
func fieldPath(location string) string {
	for _, prefix := range []string{"body.", "query.", "path.", "form."} {
		if rest, ok := strings.CutPrefix(location, prefix); ok {
			return rest
		}
	}
	return location
}
