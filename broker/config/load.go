package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"vernemq/schema"
)

// Format is the version of the compiled file that Load reads.
const Format = 1

// regenerate is what to do about a compiled file that this version cannot use.
const regenerate = "run vernemq config generate"

// ErrCompiled is what Load's errors wrap when the compiled file is there but cannot be used.
var ErrCompiled = errors.New("the compiled configuration cannot be used")

// compiled is the compiled runtime configuration, as appliance/compile writes it. Durations are numbers in their key's unit.
type compiled struct {
	Format   int            `toml:"format"`
	Compiler string         `toml:"compiler"`
	Settings map[string]any `toml:"settings"` // by key; those of listeners are in Listener
	Listener []struct {
		Protocol string         `toml:"protocol"`
		Name     string         `toml:"name"`
		Address  string         `toml:"address"`
		Options  map[string]any `toml:"options"` // by the last word of their key, after inheritance
	} `toml:"listener"`
}

// Load reads the compiled configuration at the host path path. rootPath maps a path of the configuration to where it is on the host; nil
// leaves paths alone. Keys the broker does not know are no mistake: the file holds planned ones too. All mistakes of the file are in the error.
func Load(path string, rootPath func(string) string) (*Options, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the compiled configuration: %w; %s", err, regenerate)
	}
	s, err := schema.Load()
	if err != nil {
		return nil, err
	}
	o, err := read(text, filler{schema: s, rootPath: rootPath})
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w; %s", path, ErrCompiled, err, regenerate)
	}
	return o, nil
}

// Parse is Load for a compiled configuration that is not in a file.
func Parse(text []byte, rootPath func(string) string) (*Options, error) {
	s, err := schema.Load()
	if err != nil {
		return nil, err
	}
	o, err := read(text, filler{schema: s, rootPath: rootPath})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompiled, err)
	}
	return o, nil
}

func read(text []byte, f filler) (*Options, error) {
	var head struct {
		Format *int `toml:"format"`
	}
	if err := toml.Unmarshal(text, &head); err != nil {
		return nil, place(err)
	}
	if head.Format == nil {
		return nil, errors.New("it says no format")
	}
	if *head.Format != Format {
		return nil, fmt.Errorf("it has format %d, this version reads format %d", *head.Format, Format)
	}
	var c compiled
	if err := toml.NewDecoder(strings.NewReader(string(text))).DisallowUnknownFields().Decode(&c); err != nil {
		return nil, place(err)
	}
	o := &Options{}
	f.fill(reflect.ValueOf(o).Elem(), c.Settings, "settings", "")
	for i, l := range c.Listener {
		where := fmt.Sprintf("listener %d (%s.%s)", i+1, l.Protocol, l.Name)
		if l.Protocol == "" || l.Name == "" || l.Address == "" {
			f.problem("%s: protocol, name or address is missing", where)
			continue
		}
		key := f.schema.Pattern("listener." + l.Protocol + ".$name")
		if key == nil {
			f.problem("%s: the protocol is unknown", where)
			continue
		}
		out := Listener{Protocol: l.Protocol, Name: l.Name, Address: f.path(key, l.Address)}
		f.fill(reflect.ValueOf(&out).Elem(), l.Options, where, "listener."+l.Protocol+".$name.")
		o.Listeners = append(o.Listeners, out)
	}
	if len(f.problems) > 0 {
		return nil, errors.Join(f.problems...)
	}
	return o, nil
}

// place adds line and column to a mistake of the TOML text.
func place(err error) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		return fmt.Errorf("it has a field this version does not know:\n%s", missing.String())
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, col := decode.Position()
		return fmt.Errorf("line %d, column %d: %w", line, col, err)
	}
	return err
}

// Default returns what an empty configuration compiles to: the schema's defaults and no listener. It panics if the embedded schema does not
// fit this package, which the tests rule out.
func Default() *Options {
	s, err := schema.Load()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	settings := map[string]any{}
	for _, k := range s.Keys() {
		if k.Wild() || !k.HasDefault() || k.Effect == schema.Refused {
			continue
		}
		value, _, err := k.Parse(k.Default)
		if err != nil {
			panic("BUG: default of " + k.Name + ": " + err.Error())
		}
		settings[k.Name] = value
	}
	o := &Options{}
	f := filler{schema: s}
	f.fill(reflect.ValueOf(o).Elem(), settings, "defaults", "")
	if len(f.problems) > 0 {
		panic("BUG: " + errors.Join(f.problems...).Error())
	}
	return o
}
