package probe

import (
	"path"
	"strconv"
	"strings"
)

// Where control groups are, of the second version and of the first.
const (
	groupsV2 = "/sys/fs/cgroup"
	groupsV1 = "/sys/fs/cgroup/memory"
)

// maxGroups bounds how deep control groups are followed.
const maxGroups = 32

// memoryLimit returns the memory in bytes that the control groups of this process leave it: the smallest limit of its own group and those above
// it. 0 if there is none, or none that can be read.
func (h Host) memoryLimit() uint64 {
	text, err := h.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := uint64(0)
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3) // number:controllers:path
		if len(parts) != 3 {
			continue
		}
		root, file := groupsV2, "memory.max"
		if parts[1] != "" {
			root, file = groupsV1, "memory.limit_in_bytes"
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
		}
		for group, n := path.Clean("/"+parts[2]), 0; n < maxGroups; group, n = path.Dir(group), n+1 {
			if limit := h.figure(path.Join(root, group, file)); limit > 0 && (least == 0 || limit < least) {
				least = limit
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}

// figure reads a file with one number; 0 if it holds something else, such as max.
func (h Host) figure(name string) uint64 {
	text, err := h.ReadFile(name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
