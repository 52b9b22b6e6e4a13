package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// usage is what processes have used so far.
type usage struct {
	cpu      float64 // seconds, all threads, ended ones too
	pss, rss int64   // KB; pss is 0 where it may not be read
	written  int64   // bytes that went to block devices, or will; 0 where it may not be read
}

// sample reads what processes have used. memory is dearer to read than CPU time and left out on request.
func sample(pids []int, memory bool) (sum usage, err error) {
	for _, pid := range pids {
		// The kernel's name for the CPU clock of a whole process, as clock_getcpuclockid(3) makes it.
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
			return sum, fmt.Errorf("process %d: %w", pid, err)
		}
		sum.cpu += float64(ts.Nano()) / 1e9
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid)); err == nil {
			sum.written += procField(text, "write_bytes:")
		}
		if !memory {
			continue
		}
		pss, rss := memoryOf(pid)
		sum.pss += pss
		sum.rss += rss
	}
	return sum, nil
}

// memoryOf reads the memory of a process, in KB. The proportional size needs the right to look into the process.
func memoryOf(pid int) (pss, rss int64) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)); err == nil {
		return procField(text, "Pss:"), procField(text, "Rss:")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	return 0, procField(text, "VmRSS:")
}

// procField returns the number behind a name at the beginning of a line; 0 if there is none.
func procField(text []byte, name string) int64 {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		words := bytes.Fields(lines.Bytes())
		if len(words) > 1 && string(words[0]) == name {
			v, _ := strconv.ParseInt(string(words[1]), 10, 64)
			return v
		}
	}
	return 0
}

// ownCPU is what this process has used, in seconds.
func ownCPU() float64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return float64(ts.Nano()) / 1e9
}
