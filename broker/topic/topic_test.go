package topic_test

import (
	"errors"
	"strings"
	"testing"

	"vernemq/broker/topic"
)

func TestValidName(t *testing.T) {
	long := strings.Repeat("a", topic.MaxLen)
	for _, tt := range []struct {
		clause, name string
		depth        int
		want         error
	}{
		{"MQTT-4.7.3-1", "", 0, topic.ErrEmpty},
		{"MQTT-4.7.3-3", long, 0, nil},
		{"MQTT-4.7.3-3", long + "a", 0, topic.ErrTooLong},
		{"MQTT-4.7.0-1", "a/+", 0, topic.ErrNameWildcard},
		{"MQTT-4.7.0-1", "a/#", 0, topic.ErrNameWildcard},
		{"MQTT-3.3.2-2", "sport+", 0, topic.ErrNameWildcard},
		{"MQTT-3.3.2-2", "#", 0, topic.ErrNameWildcard},
		{"levels may be empty", "/", 0, nil},
		{"levels may be empty", "a//b/", 0, nil},
		{"spaces count", "Accounts payable", 0, nil},
		{"$ is no syntax error", "$SYS/x", 0, nil},
		{"depth", "a/b/c", 3, nil},
		{"depth", "a/b/c/d", 3, topic.ErrTooDeep},
		{"depth", "///", 3, topic.ErrTooDeep},
		{"depth not limited", strings.Repeat("/", topic.MaxLen), 0, nil},
	} {
		if err := topic.ValidName(tt.name, tt.depth); !errors.Is(err, tt.want) {
			t.Errorf("%s: ValidName(%.20q, %d) = %v, want %v", tt.clause, tt.name, tt.depth, err, tt.want)
		}
		if err := topic.ValidName([]byte(tt.name), tt.depth); !errors.Is(err, tt.want) {
			t.Errorf("%s: ValidName(bytes %.20q, %d) = %v, want %v", tt.clause, tt.name, tt.depth, err, tt.want)
		}
	}
}

func TestValidFilter(t *testing.T) {
	long := strings.Repeat("a", topic.MaxLen)
	for _, tt := range []struct {
		clause, filter string
		depth          int
		want           error
	}{
		{"MQTT-4.7.3-1", "", 0, topic.ErrEmpty},
		{"MQTT-4.7.3-3", long, 0, nil},
		{"MQTT-4.7.3-3", long + "a", 0, topic.ErrTooLong},
		{"MQTT-4.7.1-1", "#", 0, nil},
		{"MQTT-4.7.1-1", "/#", 0, nil},
		{"MQTT-4.7.1-1", "sport/tennis/#", 0, nil},
		{"MQTT-4.7.1-1", "sport/tennis#", 0, topic.ErrMultiLevel},
		{"MQTT-4.7.1-1", "sport/tennis/#/ranking", 0, topic.ErrMultiLevel},
		{"MQTT-4.7.1-1", "#/", 0, topic.ErrMultiLevel},
		{"MQTT-4.7.1-1", "##", 0, topic.ErrMultiLevel},
		{"MQTT-4.7.1-1", "a/+#", 0, topic.ErrSingleLevel},
		{"MQTT-4.7.1-2", "+", 0, nil},
		{"MQTT-4.7.1-2", "+/+", 0, nil},
		{"MQTT-4.7.1-2", "+/tennis/#", 0, nil},
		{"MQTT-4.7.1-2", "sport/+/player1", 0, nil},
		{"MQTT-4.7.1-2", "sport+", 0, topic.ErrSingleLevel},
		{"MQTT-4.7.1-2", "a/+b/c", 0, topic.ErrSingleLevel},
		{"MQTT-4.7.1-2", "++", 0, topic.ErrSingleLevel},
		{"depth", "a/+/#", 3, nil},
		{"depth", "a/+/b/#", 3, topic.ErrTooDeep},
		{"depth with $share", "$share/g/a", 2, topic.ErrTooDeep},
	} {
		if err := topic.ValidFilter(tt.filter, tt.depth); !errors.Is(err, tt.want) {
			t.Errorf("%s: ValidFilter(%.30q, %d) = %v, want %v", tt.clause, tt.filter, tt.depth, err, tt.want)
		}
		if err := topic.ValidFilter([]byte(tt.filter), tt.depth); !errors.Is(err, tt.want) {
			t.Errorf("%s: ValidFilter(bytes %.30q, %d) = %v, want %v", tt.clause, tt.filter, tt.depth, err, tt.want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		clause, filter, name string
		want                 bool
	}{
		{"# includes the parent", "sport/tennis/player1/#", "sport/tennis/player1", true},
		{"# includes the parent", "sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"# includes the parent", "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"# includes the parent", "sport/#", "sport", true},
		{"# takes whole levels", "sport/#", "sports", false},
		{"# matches everything", "#", "a/b/c", true},
		{"# matches empty levels", "#", "/", true},
		{"+ is one level", "sport/tennis/+", "sport/tennis/player1", true},
		{"+ is one level", "sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"+ is not no level", "sport/+", "sport", false},
		{"+ may be empty", "sport/+", "sport/", true},
		{"+ at both ends", "+/+", "/finance", true},
		{"+ in front", "/+", "/finance", true},
		{"+ alone", "+", "/finance", false},
		{"+ then #", "+/#", "a", true},
		{"+ then #", "a/+/#", "a", false},
		{"+ then #", "a/+/#", "a/", true},
		{"MQTT-4.7.2-1", "#", "$SYS/x", false},
		{"MQTT-4.7.2-1", "+/x", "$SYS/x", false},
		{"MQTT-4.7.2-1", "+", "$", false},
		{"MQTT-4.7.2-1", "$SYS/#", "$SYS/x", true},
		{"MQTT-4.7.2-1", "$SYS/+", "$SYS/x", true},
		{"MQTT-4.7.2-1", "a/+", "a/$SYS", true},
		{"MQTT-4.7.3-4", "ACCOUNTS", "Accounts", false},
		{"MQTT-4.7.3-4", "/finance", "finance", false},
		{"MQTT-4.7.3-4", "a", "a/", false},
		{"MQTT-4.7.3-4", "a/", "a", false},
		{"prefix", "a/b", "a/bc", false},
		{"prefix", "a/bc", "a/b", false},
		{"prefix", "ab/c", "a/c", false},
	} {
		if got := topic.Match(tt.filter, tt.name); got != tt.want {
			t.Errorf("%s: Match(%q, %q) = %v, want %v", tt.clause, tt.filter, tt.name, got, tt.want)
		}
		if got := topic.Match(tt.filter, []byte(tt.name)); got != tt.want {
			t.Errorf("%s: Match(%q, bytes %q) = %v, want %v", tt.clause, tt.filter, tt.name, got, tt.want)
		}
	}
}

func TestParseShared(t *testing.T) {
	for _, tt := range []struct {
		clause, filter string
		want           topic.Shared
		ok             bool
		err            error
	}{
		{"plain", "a/b", topic.Shared{}, false, nil},
		{"plain", "$shared/g/a", topic.Shared{}, false, nil},
		{"plain", "a/$share/g/a", topic.Shared{}, false, nil},
		{"shared", "$share/g/a", topic.Shared{Group: "g", Filter: "a"}, true, nil},
		{"shared", "$share/g/+/b/#", topic.Shared{Group: "g", Filter: "+/b/#"}, true, nil},
		{"filter may begin with an empty level", "$share/g//a", topic.Shared{Group: "g", Filter: "/a"}, true, nil},
		{"MQTT-4.8.2-1", "$share", topic.Shared{}, true, topic.ErrShareLevels},
		{"MQTT-4.8.2-1", "$share/", topic.Shared{}, true, topic.ErrShareLevels},
		{"MQTT-4.8.2-1", "$share//a", topic.Shared{}, true, topic.ErrShareLevels},
		{"MQTT-4.8.2-2", "$share/g", topic.Shared{}, true, topic.ErrShareLevels},
		{"MQTT-4.8.2-2", "$share/g/", topic.Shared{}, true, topic.ErrShareLevels},
		{"MQTT-4.8.2-2", "$share/+/a", topic.Shared{}, true, topic.ErrShareGroup},
		{"MQTT-4.8.2-2", "$share/g#/a", topic.Shared{}, true, topic.ErrShareGroup},
	} {
		got, ok, err := topic.ParseShared(tt.filter)
		if got != tt.want || ok != tt.ok || !errors.Is(err, tt.err) {
			t.Errorf("%s: ParseShared(%q) = %+v, %v, %v, want %+v, %v, %v", tt.clause, tt.filter, got, ok, err, tt.want, tt.ok, tt.err)
		}
		if ok && err == nil && got.String() != tt.filter {
			t.Errorf("%s: %q written back as %q", tt.clause, tt.filter, got.String())
		}
	}
}
