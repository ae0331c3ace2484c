package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/ride"
)

const referenceHead = `# Configuration

<!-- Made from cmd/hexhail/internal/config by "go generate ./cmd/..."; edit the struct, not this page. -->

Hexhail runs with no configuration at all. Each setting below has one name in three spellings:

| where | spelling | example |
|---|---|---|
| command line | ` + "`--NAME`" + ` | ` + "`hexhail serve --dispatch-cap=12`" + ` |
| environment | ` + "`HEXHAIL_NAME`, upper case, `_` for `-`" + ` | ` + "`HEXHAIL_DISPATCH_CAP=12`" + ` |
| file (YAML) | ` + "`NAME:`" + ` | ` + "`dispatch-cap: 12`" + ` |

A flag beats the environment, the environment beats the file, the file beats the default. An empty
variable counts as not set. The file is named by ` + "`--config`" + ` or ` + "`HEXHAIL_CONFIG`" + `; unknown and doubled keys
in it are errors. Lists are YAML lists in the file and separated by commas elsewhere. Durations are
numbers with units: ` + "`300ms`, `15s`, `2m`, `1h30m`" + `; ` + "`720h`" + ` is 30 days.

` + "`hexhail config check`" + ` reports everything that is wrong and exits with 0 only when nothing is.
` + "`hexhail config show`" + ` prints the values in effect with the origin of each, secrets redacted.
`

// Reference writes the page docs/configuration.md.
func Reference() ([]byte, error) {
	fields, err := settings()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(referenceHead)
	group := ""
	for _, f := range fields {
		if f.Group == nil {
			continue
		}
		if f.Group.Title != group {
			group = f.Group.Title
			fmt.Fprintf(&b, "\n## %s\n\n| setting | default | range | meaning |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, defaultOf(f), rangeOf(f), helpOf(f))
	}
	if err := fileOnly(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func defaultOf(f *kong.Flag) string {
	if f.Default == "" {
		return "–"
	}
	return "`" + f.Default + "`"
}

func rangeOf(f *kong.Flag) string {
	if r := f.Tag.Get("range"); r != "" {
		return strings.Replace(r, "..", " … ", 1)
	}
	if f.Enum != "" {
		return "`" + strings.Join(f.EnumSlice(), "` `") + "`"
	}
	return ""
}

func helpOf(f *kong.Flag) string {
	help := strings.ReplaceAll(f.Help, "|", `\|`)
	if f.Tag.Get("secret") != "" {
		help += " *Secret: never shown or logged.*"
	}
	return help
}

// fileOnly documents the settings that have structure.
func fileOnly(b *bytes.Buffer) error {
	tariffs, err := yaml.Marshal(map[string]any{"tariffs": ride.DefaultTariffs()})
	if err != nil {
		return fmt.Errorf("default tariffs: %w", err)
	}
	fmt.Fprintf(b, `
## Tariffs

Only in the file. One tariff for each vehicle class; the first is the class of requests that name none.
`+"`currency`"+` is an ISO 4217 code, and amounts are whole minor units of it, with the decimals that ISO 4217 gives:
cents of USD, so that 110 is $1.10; hundredths of HUF, so that 40000 is 400 Ft; won of KRW, which has none; thousandths
of KWD. They are for the start, each kilometre, each minute, and the minimum fare; `+"`seats`"+` is the number of passengers. A list
replaces the default, which is:

`+"```yaml\n%s```\n", tariffs)

	b.WriteString("\n## Outside issuers\n\nOnly in the file, none by default. Each lets Hexhail accept the tokens of another sign-in service.\n" +
		"\n| key | meaning |\n|---|---|\n")
	t := reflect.TypeFor[OutsideIssuer]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		fmt.Fprintf(b, "| `%s` | %s |\n", tag.Get("yaml"), tag.Get("help"))
	}
	b.WriteString("\n```yaml\noutside-issuers:\n  - issuer: https://login.example.org\n    audience: hexhail\n" +
		"    jwks-url: https://login.example.org/.well-known/jwks.json\n    algorithm: RS256\n    create-accounts: true\n```\n")
	return nil
}
