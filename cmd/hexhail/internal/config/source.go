package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/hexhail/hexhail/ride"
)

// Origin says where a setting's value comes from.
type Origin string

// The origins, strongest first.
const (
	FromFlag    Origin = "flag"
	FromEnv     Origin = "environment"
	FromFile    Origin = "file"
	FromDefault Origin = "default"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Key     string // the setting, as the file names it; empty: the file as a whole
	Where   string // "HEXHAIL_X", "file.yaml:12"; empty: a flag, a default, or several
	Message string
}

// Error makes a sentence of it.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.Where != "" {
		b.WriteString(" (" + p.Where + ")")
	}
	return b.String()
}

// Problems is everything that is wrong, in the order of discovery. It is an error
// when it is not empty.
type Problems []Problem

// Error is one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) mention(prefix string) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return strings.HasPrefix(p.Key, prefix) })
}

// Source resolves settings from the environment and the file for kong, which knows
// only flags and defaults. Values that cannot be read are remembered as problems
// and left at their default, so that all of them can be reported together. A Source
// serves one run of the parser.
type Source struct {
	lookupEnv func(string) (string, bool)
	file      *file
	loadErr   error
	problems  Problems
	origins   map[string]Origin
}

// NewSource makes a source that reads the environment through lookupEnv.
func NewSource(lookupEnv func(string) (string, bool)) *Source {
	return &Source{lookupEnv: lookupEnv, origins: make(map[string]Origin)}
}

// EnvName is the environment variable of a flag.
func EnvName(flag string) string {
	return "HEXHAIL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Options configure kong to use the source.
func (s *Source) Options() []kong.Option {
	return []kong.Option{
		kong.Resolvers(s),
		kong.WithBeforeResolve(func(ctx *kong.Context) error { return s.load(ctx) }),
		kong.ValueFormatter(formatValue),
	}
}

// formatValue adds to a flag's help what kong does not know: its variable and range.
func formatValue(v *kong.Value) string {
	help := v.Help
	if v.Flag == nil || v.Name == "help" || v.Tag == nil {
		return help
	}
	if r := v.Tag.Get("range"); r != "" {
		help += " From " + strings.Replace(r, "..", " to ", 1) + "."
	}
	if v.Default != "" && v.Flag.PlaceHolder != "" && v.Flag.PlaceHolder != v.Default {
		help += " Default: " + v.Default + "."
	}
	if isSetting(v.Flag) {
		help += " [$" + EnvName(v.Name) + "]"
	}
	return help
}

// isSetting reports whether a flag belongs to Config: it is grouped, or --config.
func isSetting(f *kong.Flag) bool { return f.Group != nil || f.Name == "config" }

// load reads the configuration file, if one is named, before kong resolves flags.
func (s *Source) load(ctx *kong.Context) error {
	for _, f := range ctx.Flags() {
		if f.Name != "config" {
			continue
		}
		path, _ := ctx.FlagValue(f).(string)
		if path == "" {
			path, _ = s.lookupEnv(EnvName("config"))
		}
		if path == "" {
			return nil
		}
		s.file, s.loadErr = readFile(path)
		return nil
	}
	return nil
}

// Validate is part of kong.Resolver; problems are reported by Complete instead.
func (s *Source) Validate(*kong.Application) error { return nil }

// Resolve is part of kong.Resolver: it is asked for every flag that the command line
// does not set. Nil, nil means "not here".
func (s *Source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) {
		return nil, nil
	}
	s.origins[flag.Name] = FromDefault
	if v, ok := s.lookupEnv(EnvName(flag.Name)); ok && v != "" {
		return s.accept(flag, v, FromEnv, EnvName(flag.Name)), nil
	}
	if s.file == nil || flag.Name == "config" {
		return nil, nil
	}
	v, where, err := s.file.value(flag.Name)
	switch {
	case err != nil:
		s.problems = append(s.problems, Problem{flag.Name, where, err.Error()})
		return nil, nil //nolint:nilerr // reported with all other problems
	case v == nil:
		return nil, nil
	}
	return s.accept(flag, v, FromFile, where), nil
}

// accept returns v if the flag can hold it, and otherwise nil and a problem.
func (s *Source) accept(flag *kong.Flag, v any, origin Origin, where string) any {
	if err := try(flag, v); err != nil {
		s.problems = append(s.problems, Problem{flag.Name, where, err.Error()})
		return nil
	}
	s.origins[flag.Name] = origin
	return v
}

// try decodes a value into a scratch variable of the flag's type.
func try(flag *kong.Flag, v any) error {
	if flag.Tag.Get("secret") == "" {
		if err := tryEnum(flag, v); err != nil {
			return err
		}
	}
	scratch := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(v, kong.FlagValueToken)
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch)
}

func tryEnum(flag *kong.Flag, v any) error {
	text, ok := v.(string)
	if flag.Enum == "" || (ok && flag.EnumMap()[text]) {
		return nil
	}
	return fmt.Errorf("must be one of %s, not %q", strings.Join(flag.EnumSlice(), ", "), fmt.Sprint(v))
}

// Complete adds to the parsed configuration what only the file can hold, and checks
// all of it. The error is a Problems, or what kept the file from being read.
func (s *Source) Complete(c *Config) error { return s.complete(c, true) }

// CompleteBeside is Complete for commands that work beside the servers, on their database: those do
// without the address of a node.
func (s *Source) CompleteBeside(c *Config) error { return s.complete(c, false) }

func (s *Source) complete(c *Config, serves bool) error {
	if s.loadErr != nil {
		return s.loadErr
	}
	fields, err := settings()
	if err != nil {
		return err
	}
	c.Tariffs = ride.DefaultTariffs()
	if s.file != nil {
		known := map[string]bool{"tariffs": true, "outside-issuers": true}
		for _, f := range fields {
			known[f.Name] = f.Name != "config"
		}
		s.problems = append(s.problems, s.file.unknown(known)...)
		s.list("tariffs", &c.Tariffs)
		s.list("outside-issuers", &c.OutsideIssuers)
	}
	ps := append(slices.Clone(s.problems), c.check(fields, s.problems, serves)...)
	if len(ps) > 0 {
		return ps
	}
	return nil
}

func (s *Source) list(key string, target any) {
	found, err := s.file.decode(key, target)
	if err != nil {
		var p Problems
		if !errors.As(err, &p) {
			p = Problems{{Key: key, Message: err.Error()}}
		}
		s.problems = append(s.problems, p...)
	}
	if found {
		s.origins[key] = FromFile
	}
}

// Origin says where a setting's value came from, once kong has parsed.
func (s *Source) Origin(key string) Origin {
	if key == "tariffs" || key == "outside-issuers" {
		if o, ok := s.origins[key]; ok {
			return o
		}
		return FromDefault
	}
	if o, ok := s.origins[key]; ok {
		return o
	}
	return FromFlag // kong asks no resolver for what the command line sets
}
