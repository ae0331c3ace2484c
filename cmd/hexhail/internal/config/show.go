package config

import (
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Show writes the effective configuration as a configuration file, with the origin
// of each value behind it and secrets redacted.
func (s *Source) Show(w io.Writer, c *Config) error {
	fields, err := settings()
	if err != nil {
		return err
	}
	values := c.values(fields)
	var b strings.Builder
	group := ""
	for _, f := range fields {
		if f.Name == "config" {
			if c.File != "" {
				fmt.Fprintf(&b, "# read from %q\n", c.File)
			}
			continue
		}
		if g := f.Group.Title; g != group {
			group = g
			fmt.Fprintf(&b, "\n# %s\n", g)
		}
		v, err := plain(values[f.Name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s: %s  # %s\n", f.Name, v, s.Origin(f.Name))
	}
	for _, list := range []struct {
		key string
		v   any
	}{{"tariffs", c.Tariffs}, {"outside-issuers", c.OutsideIssuers}} {
		text, err := yaml.Marshal(map[string]any{list.key: list.v})
		if err != nil {
			return fmt.Errorf("show %s: %w", list.key, err)
		}
		fmt.Fprintf(&b, "\n# %s\n%s", s.Origin(list.key), text)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// plain writes one value as YAML on one line.
func plain(v reflect.Value) (string, error) {
	var x any
	switch t := v.Interface().(type) {
	case []string:
		x = append([]string{}, t...)
	case []netip.Prefix:
		list := make([]string, len(t))
		for i, p := range t {
			list[i] = p.String()
		}
		x = list
	case Secret:
		x = t.String()
	case Home:
		x = t.String()
	case TimeZone:
		x = t.String()
	default:
		if v.Kind() != reflect.String {
			return text(v), nil
		}
		x = t
	}
	var n yaml.Node
	if err := n.Encode(x); err != nil {
		return "", fmt.Errorf("show: %w", err)
	}
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		return "", fmt.Errorf("show: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
