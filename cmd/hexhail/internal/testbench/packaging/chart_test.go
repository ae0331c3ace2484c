package packaging

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const chart = repository + "/deploy/helm/hexhail"

// object is a manifest or a part of one.
type object = map[string]any

// at is the value at a path of keys and indices, such as spec.template.spec.containers.0; nil if there
// is none.
func at(v any, path string) any {
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// render renders the chart as helm template does, with the few functions that its templates use. The
// result has each manifest under its kind and name.
func render(t *testing.T, changes string) (map[string]object, error) {
	t.Helper()
	meta, values := readYAML(t, chart+"/Chart.yaml"), readYAML(t, chart+"/values.yaml")
	change := object{}
	require.NoError(t, yaml.Unmarshal([]byte(changes), &change))
	merge(values, change)
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	files, err := filepath.Glob(chart + "/templates/*")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = root.New(filepath.Base(file)).Parse(string(text))
		require.NoError(t, err)
	}
	data := object{
		"Values": values, "Chart": object{"Name": meta["name"], "Version": meta["version"], "AppVersion": meta["appVersion"]},
		"Release": object{"Name": "city", "Namespace": "rides", "Service": "Helm"},
	}
	out := make(map[string]object)
	for _, file := range files {
		var b bytes.Buffer
		if err := root.ExecuteTemplate(&b, filepath.Base(file), data); err != nil {
			return nil, err
		}
		if filepath.Ext(file) == ".yaml" {
			maps.Copy(out, manifests(t, b.Bytes()))
		}
	}
	return out, nil
}

func readYAML(t *testing.T, path string) object {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var out object
	require.NoError(t, yaml.Unmarshal(text, &out))
	return out
}

// merge changes values as helm's --values does: maps key by key, everything else as a whole.
func merge(values, change object) {
	for k, v := range change {
		if inner, ok := v.(object); ok {
			if old, ok := values[k].(object); ok {
				merge(old, inner)
				continue
			}
		}
		values[k] = v
	}
}

// manifests splits and decodes what templates or helm have rendered.
func manifests(t *testing.T, text []byte) map[string]object {
	t.Helper()
	out := make(map[string]object)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err, "%s", text)
		if o != nil {
			out[fmt.Sprint(o["kind"], " ", at(o, "metadata.name"))] = o
		}
	}
}

// functions are those of helm that the chart uses. A template that uses another one does not parse.
func functions(root *template.Template) template.FuncMap {
	indent := func(n int, s string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(s, "\n", "\n"+pad)
	}
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b strings.Builder
			err := root.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"toYaml": func(v any) (string, error) {
			var b strings.Builder
			e := yaml.NewEncoder(&b)
			e.SetIndent(2)
			err := e.Encode(v)
			return strings.TrimSuffix(b.String(), "\n"), err
		},
		"nindent": func(n int, s string) string { return "\n" + indent(n, s) },
		"quote":   func(v any) string { return strconv.Quote(fmt.Sprint(v)) },
		"default": func(usual, v any) any {
			if v == nil || v == "" {
				return usual
			}
			return v
		},
		"trunc":      func(n int, s string) string { return s[:min(n, len(s))] },
		"trim":       strings.TrimSpace,
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"sha256sum":  func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) },
		"fail":       func(text string) (string, error) { return "", errors.New(text) },
		"int":        func(v any) int { n, _ := strconv.Atoi(fmt.Sprint(v)); return n },
		"add": func(all ...int) int {
			sum := 0
			for _, n := range all {
				sum += n
			}
			return sum
		},
	}
}

// everything is values with which each part of the chart is rendered.
const everything = `
replicas: 5
registry: {url: "etcd://etcd:2379/hexhail"}
imagePullSecrets: [{name: registry}]
settings: {public-url: "https://rides.example.org", trusted-proxies: [10.0.0.0/8]}
env: [{name: GOMEMLIMIT, value: 1800MiB}]
volumes: [{name: etcd, secret: {secretName: etcd-client, defaultMode: 0440}}]
volumeMounts: [{name: etcd, mountPath: /etc/hexhail/etcd, readOnly: true}]
service: {annotations: {a: b}}
networkPolicy:
  clients: [{namespaceSelector: {matchLabels: {ingress: "true"}}}]
  monitoring: [{namespaceSelector: {matchLabels: {monitoring: "true"}}}]
serviceMonitor: {enabled: true, labels: {release: prometheus}}
nodeSelector: {disk: fast}
tolerations: [{key: rides, operator: Exists}]
podAnnotations: {owner: rides}
`

// Where helm is installed, it finds no fault with the chart, and renders what the other tests look at.
func TestHelmAgrees(t *testing.T) {
	helm, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("no helm: the chart is rendered by the tests alone")
	}
	for name, changes := range map[string]string{"cluster": "registry: {url: \"etcd://etcd:2379/hexhail\"}", "alone": "replicas: 1", "everything": everything} {
		values := filepath.Join(t.TempDir(), "values.yaml")
		require.NoError(t, os.WriteFile(values, []byte(changes), 0o600))
		said, err := exec.Command(helm, "lint", "--strict", "--kube-version=1.31.0", "--values="+values, chart).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, said)
		said, err = exec.Command(helm, "template", "city", chart, "--kube-version=1.31.0", "--namespace=rides", "--values="+values).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, said)
		ours, err := render(t, changes)
		require.NoError(t, err)
		theirs := manifests(t, said)
		for _, all := range []map[string]object{ours, theirs} { // lists are indented differently, so digests differ
			delete(at(all["StatefulSet city"], "spec.template.metadata.annotations").(object), "checksum/settings")
			data := at(all["ConfigMap city"], "data").(object)
			var settings object
			require.NoError(t, yaml.Unmarshal([]byte(data["hexhail.yaml"].(string)), &settings))
			data["hexhail.yaml"] = settings
		}
		require.Equal(t, theirs, ours, name)
	}
}
