package topic

import "strings"

const (
	shareRoot   = "$share"
	sharePrefix = shareRoot + "/"
)

// Shared is a shared subscription: the members of Group share the messages that Filter matches, each message going to one of them
// [MQTT-4.8.2-4]. The same group name with another filter is another group.
type Shared struct {
	Group, Filter string
}

// ParseShared takes $share/<group>/<filter> apart; the results share f's memory. ok tells whether f is a shared subscription at all; if it
// is not, it is an ordinary filter and err is nil. The Filter is not checked beyond being present: that is ValidFilter's work.
func ParseShared(f string) (s Shared, ok bool, err error) {
	rest, ok := strings.CutPrefix(f, sharePrefix)
	if !ok {
		if f == shareRoot {
			return Shared{}, true, ErrShareLevels
		}
		return Shared{}, false, nil
	}
	group, filter, _ := strings.Cut(rest, "/")
	switch {
	case group == "" || filter == "":
		return Shared{}, true, ErrShareLevels
	case HasWildcard(group):
		return Shared{}, true, ErrShareGroup
	}
	return Shared{Group: group, Filter: filter}, true, nil
}

// String is the subscription as a client writes it.
func (s Shared) String() string { return sharePrefix + s.Group + "/" + s.Filter }
