package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/problem"
)

func operationsOf(p *huma.PathItem) map[string]*huma.Operation {
	out := map[string]*huma.Operation{}
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodPatch: p.Patch,
		http.MethodDelete: p.Delete, http.MethodHead: p.Head, http.MethodOptions: p.Options,
	} {
		if op != nil {
			out[method] = op
		}
	}
	return out
}

var pathParam = regexp.MustCompile(`\{([a-z]+)\}`)

// TestOpenAPIDocument checks the document as a client generator would read it.
func TestOpenAPIDocument(t *testing.T) {
	w := newWorld(t)
	got := w.do(request{method: "GET", path: "/openapi.json"})
	require.Equal(t, 200, got.Code)
	require.Equal(t, "application/openapi+json", got.Header().Get("Content-Type"))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &doc))
	require.Equal(t, "3.1.0", doc["openapi"])

	var asYAML map[string]any
	require.NoError(t, yaml.Unmarshal(w.do(request{method: "GET", path: "/openapi.yaml"}).Body.Bytes(), &asYAML))
	require.Equal(t, doc["info"], asYAML["info"])
	require.Len(t, asYAML["paths"], len(doc["paths"].(map[string]any)))

	ids := map[string]bool{}
	for path, item := range w.OpenAPI().Paths {
		for method, op := range operationsOf(item) {
			checkOperation(t, method, path, op)
			require.False(t, ids[op.OperationID], "%s twice", op.OperationID)
			ids[op.OperationID] = true
		}
	}
	checkReferences(t, doc, doc)
	for name := range w.OpenAPI().Components.Schemas.Map() {
		require.Contains(t, got.Body.String(), `"#/components/schemas/`+name+`"`, "schema %s is used by nothing", name)
	}
}

func checkOperation(t *testing.T, method, path string, op *huma.Operation) {
	t.Helper()
	require.NotEmpty(t, op.OperationID, "%s %s", method, path)
	require.NotEmpty(t, op.Summary, op.OperationID)
	require.Len(t, op.Tags, 1, op.OperationID)
	declared := map[string]bool{}
	for _, p := range op.Parameters {
		require.NotNil(t, p.Schema, "%s of %s", p.Name, op.OperationID)
		if p.In == "path" {
			require.True(t, p.Required)
			declared[p.Name] = true
		}
	}
	for _, m := range pathParam.FindAllStringSubmatch(path, -1) {
		require.True(t, declared[m[1]], "%s of %s", m[1], op.OperationID)
		delete(declared, m[1])
	}
	require.Empty(t, declared, op.OperationID)
	if method == http.MethodGet || method == http.MethodDelete && op.OperationID != "erase-me" { // it takes a password
		require.Nil(t, op.RequestBody, op.OperationID)
	}
	success := 0
	for status, r := range op.Responses {
		n, err := strconv.Atoi(status)
		require.NoError(t, err, "%s: response %q", op.OperationID, status)
		require.NotEmpty(t, r.Description)
		switch {
		case n < 300:
			success++
			require.Equal(t, n != 204, len(r.Content) > 0, "%s %d", op.OperationID, n)
		default:
			require.Contains(t, r.Content, problem.ContentType, "%s %d", op.OperationID, n)
		}
	}
	require.Equal(t, 1, success, op.OperationID)
}

// checkReferences follows every $ref.
func checkReferences(t *testing.T, doc map[string]any, node any) {
	t.Helper()
	switch v := node.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			at := any(doc)
			for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				next, ok := at.(map[string]any)[part]
				require.True(t, ok, "%s leads nowhere", ref)
				at = next
			}
		}
		for _, child := range v {
			checkReferences(t, doc, child)
		}
	case []any:
		for _, child := range v {
			checkReferences(t, doc, child)
		}
	}
}

// TestEveryCodeIsDocumented: each registered refusal is one of the codes that the document lists.
func TestEveryCodeIsDocumented(t *testing.T) {
	w := newWorld(t)
	listed := w.OpenAPI().Components.Schemas.Map()["Problem"].Properties["code"].Enum
	require.Len(t, listed, len(ride.Errors()))
	for _, e := range ride.Errors() {
		require.Contains(t, listed, any(e.Code))
	}
}
