package config

import (
	"reflect"

	"vernemq/schema"
)

// Changes says what became of the differences between the options in force and those wanted, by the full names of their keys. A listener that
// comes, goes or moves is named by the key of its address.
type Changes struct {
	Live    []string // in force
	Restart []string // in force at the next start
}

// Merge returns the options that can be in force now: those of wanted whose keys may change at run time, the others as they are in running.
// The listeners are those of running: they are the listener package's. Neither argument is modified.
func Merge(running, wanted *Options) (*Options, Changes) {
	merged, out := *running, Changes{}
	merge(reflect.ValueOf(&merged).Elem(), reflect.ValueOf(wanted).Elem(), "", "", &out)
	return &merged, out
}

// MergeListener does the same for the options of one listener, whose name and address are taken from wanted.
func MergeListener(running, wanted *Listener) (Listener, Changes) {
	merged, out := *running, Changes{}
	merged.Name, merged.Address = wanted.Name, wanted.Address
	merge(reflect.ValueOf(&merged).Elem(), reflect.ValueOf(wanted).Elem(), "listener."+wanted.Protocol+".$name.", wanted.Key()+".", &out)
	return merged, out
}

// Key returns the name of the key that gives the listener its address.
func (l *Listener) Key() string { return schema.JoinName([]string{"listener", l.Protocol, l.Name}) }

// merge copies the fields that may change. pattern leads from a tag to its key in the schema, prefix to the key's full name.
func merge(into, wanted reflect.Value, pattern, prefix string, out *Changes) {
	s, err := schema.Load()
	if err != nil {
		panic("BUG: " + err.Error()) // it was loaded to read the options
	}
	for i := range into.NumField() {
		tag := into.Type().Field(i).Tag.Get("conf")
		if tag == "" || reflect.DeepEqual(into.Field(i).Interface(), wanted.Field(i).Interface()) {
			continue
		}
		k := s.Pattern(pattern + tag)
		if k == nil || !k.Runtime {
			out.Restart = append(out.Restart, prefix+tag)
			continue
		}
		into.Field(i).Set(wanted.Field(i))
		out.Live = append(out.Live, prefix+tag)
	}
}
