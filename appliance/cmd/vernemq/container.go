package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"vernemq/appliance/container"
	"vernemq/appliance/eula"
	"vernemq/appliance/source"
)

// containerEnv tells that DOCKER_VERNEMQ_* variables are settings. The container image sets it.
const containerEnv = "VERNEMQ_CONTAINER"

// inContainer reports whether this is the container image.
func inContainer() bool {
	return slices.Contains([]string{"1", "on", "yes", "true"}, strings.ToLower(os.Getenv(containerEnv)))
}

// startContainer is what the image starts: foreground, behind what the environment asks for besides settings. Nothing is written before the
// licence is accepted and the configuration is good; foreground says so then.
func (p *program) startContainer(args []string) int {
	if os.Getenv(containerEnv) == "" {
		if err := os.Setenv(containerEnv, "1"); err != nil {
			return p.cannot(container.EntryName, err)
		}
	}
	if len(args) > 0 && wantsHelp(args) {
		return p.commandHelp("", findCommand("foreground"))
	}
	var layers layerFlags
	if !p.parse("foreground", args, layers.add) {
		return exitCannot
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot(container.EntryName, err)
	}
	licence, err := eula.Check(p.root, result)
	if err != nil {
		return p.cannot(container.EntryName, err)
	}
	if !licence.Accepted || findings.Fatal(false) {
		return p.foreground(args)
	}
	first, _, _ := container.Local(source.Host(p.root), nil)
	for _, sentence := range container.Idle(os.Environ(), first != "") {
		fmt.Fprintf(p.stderr, "environment: warning: %s\n", sentence)
	}
	users, err := container.Users(os.Environ())
	if err != nil {
		fmt.Fprintf(p.stderr, "%s: %v\n", container.EntryName, err)
		return exitConfig
	}
	if v, ok := result.Get("vmq_passwd.password_file"); ok && len(users) > 0 {
		name := v.Key.Format(v.Value)
		changed, err := container.WriteUsers(p.root, name, users)
		if err != nil {
			fmt.Fprintf(p.stderr, "%s: %v\n", container.EntryName, err)
			return exitConfig
		}
		if len(changed) > 0 {
			fmt.Fprintf(p.stdout, "%s: passwords set for %s\n", name, strings.Join(changed, ", "))
		}
	}
	return p.foreground(args)
}
