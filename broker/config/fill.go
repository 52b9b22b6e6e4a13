package config

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"vernemq/schema"
)

// filler copies compiled values into tagged fields.
type filler struct {
	schema   *schema.Schema
	rootPath func(string) string
	problems []error
}

func (f *filler) problem(format string, args ...any) {
	f.problems = append(f.problems, fmt.Errorf(format, args...))
}

// fill sets every field of v with a conf tag from values; prefix leads from a tag to its key's name.
func (f *filler) fill(v reflect.Value, values map[string]any, where, prefix string) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("conf")
		if tag == "" {
			continue
		}
		k := f.schema.Pattern(prefix + tag)
		if k == nil {
			continue // an option other protocols have
		}
		value, ok := values[tag]
		if !ok && prefix == "" && !k.HasDefault() {
			continue // nobody has set it; options of a listener have their default on another level
		}
		if !ok {
			f.problem("%s: %s has no value: the file was compiled by another version", where, tag)
			continue
		}
		if err := f.set(v.Field(i), k, value); err != nil {
			f.problem("%s: %s: %w", where, tag, err)
		}
	}
}

// path maps a value that is a path, by its key's type.
func (f *filler) path(k *schema.Key, text string) string {
	if f.rootPath == nil || text == "" {
		return text
	}
	switch k.Type {
	case schema.File, schema.Directory:
		return f.rootPath(text)
	case schema.Address:
		if path, ok := strings.CutPrefix(text, "unix:"); ok {
			return "unix:" + f.rootPath(path)
		}
	}
	return text
}

var durationType = reflect.TypeFor[time.Duration]()

// set copies one value. Negative numbers stand for something else than an amount and are not converted into a length of time.
func (f *filler) set(field reflect.Value, k *schema.Key, value any) error {
	mismatch := fmt.Errorf("a value of type %T does not fit: the file was compiled by another version", value)
	switch value := value.(type) {
	case bool:
		if field.Kind() != reflect.Bool {
			return mismatch
		}
		field.SetBool(value)
	case string:
		if field.Kind() != reflect.String {
			return mismatch
		}
		field.SetString(f.path(k, value))
	case int64:
		if !field.CanInt() {
			return mismatch
		}
		if field.Type() == durationType && value > 0 {
			unit := int64(k.UnitLength())
			if unit == 0 {
				return fmt.Errorf("its key has the unit %q, which is no time", k.Unit)
			}
			if value > math.MaxInt64/unit {
				return fmt.Errorf("%d %s is too long", value, k.Unit)
			}
			value *= unit
		}
		if field.OverflowInt(value) {
			return fmt.Errorf("%d is too large on this machine", value)
		}
		field.SetInt(value)
	case []int64, []string, []any:
		return f.setList(field, reflect.ValueOf(value), mismatch)
	default:
		return mismatch
	}
	return nil
}

// setList copies a list of whole numbers or texts.
func (f *filler) setList(field, list reflect.Value, mismatch error) error {
	if field.Kind() != reflect.Slice {
		return mismatch
	}
	out := reflect.MakeSlice(field.Type(), list.Len(), list.Len())
	for i := range list.Len() {
		element := out.Index(i)
		switch v := list.Index(i).Interface().(type) {
		case int64:
			if !element.CanInt() || element.OverflowInt(v) {
				return mismatch
			}
			element.SetInt(v)
		case string:
			if element.Kind() != reflect.String {
				return mismatch
			}
			element.SetString(v)
		default:
			return mismatch
		}
	}
	if list.Len() == 0 {
		out = reflect.Zero(field.Type())
	}
	field.Set(out)
	return nil
}
