package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listener is the admin socket of a broker.
type Listener struct {
	*net.UnixListener
	path string
	info fs.FileInfo // of the socket's file, to remove no other
	gid  uint32      // the group whose members are served
}

// Listen opens the admin socket at path, creating its directory if there is none. A socket file that is left over is replaced if nobody
// answers on it; if somebody does, another broker runs and Listen fails.
func Listen(path string) (*Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	// Two brokers that start at once must not take each other's fresh socket for a stale one.
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("admin socket: lock %s: %w", dir, err)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	var ul *net.UnixListener
	err = shorten(path, func(short string) (err error) {
		ul, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("admin socket %s: %w", path, err)
	}
	ul.SetUnlinkOnClose(false) // Close does, under the right name
	l := &Listener{UnixListener: ul, path: path}
	if err := os.Chmod(path, 0o660); err != nil {
		ul.Close()
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if l.info, err = os.Lstat(path); err != nil {
		ul.Close()
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if st, ok := l.info.Sys().(*syscall.Stat_t); ok {
		l.gid = st.Gid
	}
	return l, nil
}

// Close ends the listener and removes the socket's file, unless another one took its place.
func (l *Listener) Close() error {
	if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.info) {
		_ = os.Remove(l.path) // what is left over is replaced by the next broker
	}
	return l.UnixListener.Close()
}

// removeStale removes a socket file on which nobody answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no socket: move it away", path)
	}
	c, err := dial(path)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("another broker answers on %s: stop it first", path)
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	default:
		return err
	}
}

// dial connects to the socket at path.
func dial(path string) (c net.Conn, err error) {
	err = shorten(path, func(short string) (err error) {
		c, err = net.DialTimeout("unix", short, 5*time.Second)
		return err
	})
	return c, err
}

// shorten calls f with a name of path that fits into a socket address, which has room for 107 bytes.
func shorten(path string, f func(short string) error) error {
	if len(path) <= 100 {
		return f(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return f("/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(path))
}
