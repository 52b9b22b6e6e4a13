// Package container does for the broker what the start script of VerneMQ's image does before it: users given in the environment are written to
// the password file, a vernemq.conf.local takes the place of everything else, and variables that steer what this broker does not do are named. It
// refuses to know the keys: those among the variables are a layer of the configuration, and the compiler's.
package container

import (
	"slices"
	"strings"
)

// EntryName is the name by which the image starts the program, as VerneMQ's image does.
const EntryName = "start_vernemq"

// prefix begins the variables of VerneMQ's image.
const prefix = "DOCKER_VERNEMQ_"

// idle are the variables of VerneMQ's image without an effect here, by their names or how these begin, and what to do instead.
var idle = []struct{ name, instead string }{
	{"DOCKER_VERNEMQ_DISCOVERY_", "this broker runs alone: it does not join others yet"},
	{"DOCKER_VERNEMQ_KUBERNETES_", "this broker runs alone: it does not join others yet"},
	{"DOCKER_VERNEMQ_SWARM", "this broker runs alone: it does not join others yet"},
	{"DOCKER_VERNEMQ_COMPOSE", "this broker runs alone: it does not join others yet"},
	{"DOCKER_NET_INTERFACE", "set DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT=ADDRESS:1883 to listen on one address only"},
	{"DOCKER_IP_ADDRESS", "set DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT=ADDRESS:1883 to listen on one address only"},
	{"API_KEY", "there is no HTTP interface to protect yet"},
}

// Idle returns one sentence for each variable of environ (NAME=value, as os.Environ gives it) that VerneMQ's image acts upon and this one does
// not, sorted. Where a LocalConf is in use, the two variables for it do have an effect.
func Idle(environ []string, local bool) (sentences []string) {
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if local && (name == addressVariable || name == interfaceVariable) {
			continue
		}
		for _, v := range idle {
			if strings.HasPrefix(name, v.name) {
				sentences = append(sentences, name+" has no effect: "+v.instead)
				break
			}
		}
	}
	slices.Sort(sentences)
	return sentences
}
