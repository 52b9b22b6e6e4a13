package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
)

// openTCP opens n sockets on one address, one per accepting shard (SO_REUSEPORT: the kernel spreads connections over them), or one unix
// socket.
func openTCP(cfg *config.Listener, n int, ours bool) ([]socket, error) {
	if path, ok := strings.CutPrefix(cfg.Address, "unix:"); ok {
		return openUnix(path)
	}
	ap, err := resolve(cfg.Address)
	if err != nil {
		return nil, err
	}
	// A socket with SO_REUSEPORT joins a stranger's silently. Binding without it first tells whether the address is free.
	got := ap
	if !ours {
		probe, free, err := bindTCP(ap, false, nil)
		if errors.Is(err, unix.EACCES) && ap.Port() < 1024 {
			return nil, fmt.Errorf("%w: a port below 1024 needs a privilege, or a socket unit of systemd that opens it", err)
		}
		if err != nil {
			return nil, err
		}
		_ = unix.Close(probe)
		got = free
	}
	var socks []socket
	for range n {
		fd, real, err := bindTCP(got, true, cfg.BufferSizes)
		got = real
		if err == nil {
			if err = unix.Listen(fd, config.Backlog); err != nil {
				_ = unix.Close(fd)
			}
		}
		if err != nil {
			for _, s := range socks {
				_ = unix.Close(s.fd)
			}
			return nil, err
		}
		socks = append(socks, socket{fd: fd, addr: got.String()})
	}
	return socks, nil
}

// bindTCP makes a bound socket; options that accepted sockets inherit are set on it. It returns the address with the real port.
func bindTCP(ap netip.AddrPort, shared bool, buffers []int) (fd int, got netip.AddrPort, err error) {
	family := unix.AF_INET6
	var sa unix.Sockaddr = &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}
	if ap.Addr().Unmap().Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().Unmap().As4()}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) && ap.Addr().IsUnspecified() && family == unix.AF_INET6 { // a host without IPv6
		return bindTCP(netip.AddrPortFrom(netip.IPv4Unspecified(), ap.Port()), shared, buffers)
	}
	if err != nil {
		return -1, got, err
	}
	set := func(level, opt, value int) {
		if err == nil {
			err = unix.SetsockoptInt(fd, level, opt, value)
		}
	}
	set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = tune(fd)
	}
	if shared {
		set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if len(buffers) >= 2 {
		if buffers[0] > 0 {
			set(unix.SOL_SOCKET, unix.SO_SNDBUF, buffers[0])
		}
		if buffers[1] > 0 {
			set(unix.SOL_SOCKET, unix.SO_RCVBUF, buffers[1])
		}
	}
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, got, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		_ = unix.Close(fd)
		return -1, got, err
	}
	return fd, addrPort(name), nil
}

// resolve returns the address that host:port in the configuration means.
func resolve(address string) (netip.AddrPort, error) {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ap := a.AddrPort()
	if !ap.Addr().IsValid() { // ":1883"
		ap = netip.AddrPortFrom(netip.IPv6Unspecified(), ap.Port())
	}
	return ap, nil
}

// addrPort returns the address of an internet socket's name; invalid for one of another family.
func addrPort(name unix.Sockaddr) netip.AddrPort {
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// tune sets the options that accepted sockets inherit.
func tune(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
}

// openUnix opens a unix socket. A stale file is replaced only if nobody answers on it.
func openUnix(path string) ([]socket, error) {
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, unix.EADDRINUSE
	}
	if st, err := os.Lstat(path); err == nil {
		if st.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("%s exists and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if err := unix.Listen(fd, config.Backlog); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return []socket{{fd: fd, addr: "unix:" + path, path: path}}, nil
}
