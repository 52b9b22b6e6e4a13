package probe

import (
	"io/fs"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	const huge = "9223372036854771712" // what the first version says for none
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64 // of MemoryLimit
		use   uint64 // of Memory
	}{
		"none":         {nil, 0, 4 << 30},
		"v2 unlimited": {map[string]string{"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "max\n"}, 0, 4 << 30},
		"v2":           {map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "536870912\n"}, 512 << 20, 512 << 20},
		"v2 above": {map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/memory.max": "268435456",
			"/sys/fs/cgroup/a/b/memory.max": "536870912"}, 256 << 20, 256 << 20},
		"v2 in a container": {map[string]string{"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1000000"}, 1000000, 1000000},
		"v1": {map[string]string{"/proc/self/cgroup": "12:cpu,cpuacct:/x\n5:memory:/x\n0::/x\n",
			"/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n"}, 1 << 20, 1 << 20},
		"v1 none":         {map[string]string{"/proc/self/cgroup": "5:memory:/x\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": huge}, 0, 4 << 30},
		"no cgroup lines": {map[string]string{"/proc/self/cgroup": "nonsense\n::\n0::../../../..\n"}, 0, 4 << 30},
		"more than there": {map[string]string{"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "99999999999"}, 0, 4 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(1024, 4096, nil)
			h.ReadFile = func(name string) ([]byte, error) {
				if text, ok := c.files[name]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			}
			f := h.Facts()
			if f.MemoryLimit != c.want || f.Memory() != c.use || f.NoFile != 4096 {
				t.Errorf("%+v, Memory %d; want a limit of %d, %d to use", f, f.Memory(), c.want, c.use)
			}
		})
	}
}
