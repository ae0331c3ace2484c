package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// file is a configuration file as read: its top-level keys with their nodes, which
// know their lines.
type file struct {
	path string
	keys []string // in the order of the file
	node map[string]*yaml.Node
	twin Problems // keys that occur twice
}

func readFile(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("configuration file: %s is larger than %d bytes", path, maxFile)
	}
	return parseFile(path, text)
}

// parseFile reads the text of a configuration file. The path is for messages.
func parseFile(path string, text []byte) (*file, error) {
	out := &file{path: path, node: make(map[string]*yaml.Node)}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return out, nil
	case err != nil:
		return nil, fmt.Errorf("configuration file: %s: %w", path, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration file: %s: only one YAML document is allowed", path)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return out, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("configuration file: %s: must be a mapping of settings", path)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		if _, twice := out.node[k.Value]; twice {
			out.twin = append(out.twin, Problem{k.Value, out.where(k), "is there twice"})
			continue
		}
		out.keys = append(out.keys, k.Value)
		out.node[k.Value] = root.Content[i+1]
	}
	return out, nil
}

func (f *file) where(n *yaml.Node) string { return fmt.Sprintf("%s:%d", f.path, n.Line) }

// unknown reports keys that are not settings, and duplicate keys.
func (f *file) unknown(known map[string]bool) Problems {
	out := slices.Clone(f.twin)
	for _, k := range f.keys {
		if !known[k] {
			p := Problem{k, f.where(f.node[k]), "unknown setting"}
			if fixed := strings.ReplaceAll(strings.ToLower(k), "_", "-"); known[fixed] {
				p.Message += ", but there is " + fixed
			}
			out = append(out, p)
		}
	}
	return out
}

// value returns a setting as text, or as a list of texts; nil when the file does
// not have it. Where is the line.
func (f *file) value(key string) (v any, where string, err error) {
	n, ok := f.node[key]
	if !ok {
		return nil, "", nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	where = f.where(n)
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return n.Value, where, nil
	case n.Kind == yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				return nil, f.where(item), errors.New("must be a list of plain values")
			}
			list = append(list, item.Value)
		}
		return list, where, nil
	}
	return nil, where, errors.New("must have a plain value or a list of plain values")
}

// decode reads a structured setting strictly: unknown keys are problems. Target
// keeps its value when the file does not have the setting.
func (f *file) decode(key string, target any) (found bool, err error) {
	n, ok := f.node[key]
	if !ok {
		return false, nil
	}
	// Only a decoder, not a node, can refuse unknown keys: go through text again.
	text, err := yaml.Marshal(n)
	if err != nil {
		return true, Problems{{key, f.where(n), err.Error()}}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(target); err != nil {
		var te *yaml.TypeError
		if !errors.As(err, &te) {
			return true, Problems{{key, f.where(n), err.Error()}}
		}
		var ps Problems
		for _, e := range te.Errors {
			ps = append(ps, Problem{key, f.where(n), unline(e)})
		}
		return true, ps
	}
	return true, nil
}

// unline removes the line number of the intermediate text, which would mislead.
func unline(msg string) string {
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		if _, after, ok := strings.Cut(rest, ": "); ok {
			return after
		}
	}
	return msg
}
