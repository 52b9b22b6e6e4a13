package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// address is where the broker is.
type address struct {
	path string         // of a unix socket; empty: tcp
	tcp  netip.AddrPort // with the port
}

// target is the broker's address, ready for connect(2). It belongs to one loop: the system's packages write into a Sockaddr when it is used.
type target struct {
	family  int
	addr    unix.Sockaddr
	sources []unix.Sockaddr // local addresses to connect from, in turn; none: the system chooses
}

// sourceAddresses is how many local addresses connections to 127.0.0.0/8 come from. One has some 28,000 ports, and a closed connection occupies
// its port for a minute.
const sourceAddresses = 50

// resolve reads host:port or unix:/path. It looks up names; of several addresses the first is taken.
func resolve(ctx context.Context, text string) (address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if path == "" || len(path) > 107 {
			return address{}, fmt.Errorf("address %q: a socket's path has 1 to 107 bytes", text)
		}
		return address{path: path}, nil
	}
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, fmt.Errorf("address %q is neither host:port nor unix:/path: %w", text, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return address{}, fmt.Errorf("address %q: port %q is not a number from 1 to 65535", text, service)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			return address{}, fmt.Errorf("address %q: %w", text, err)
		}
		ip = list[0]
	}
	return address{tcp: netip.AddrPortFrom(ip.Unmap(), uint16(port))}, nil
}

func (a address) target() *target {
	ip, port := a.tcp.Addr(), int(a.tcp.Port())
	if a.path != "" {
		return &target{family: unix.AF_UNIX, addr: &unix.SockaddrUnix{Name: a.path}}
	}
	if ip.Is6() {
		zone, _ := strconv.ParseUint(ip.Zone(), 10, 32)
		if i, err := net.InterfaceByName(ip.Zone()); err == nil {
			zone = uint64(i.Index)
		}
		return &target{family: unix.AF_INET6, addr: &unix.SockaddrInet6{Port: port, Addr: ip.As16(), ZoneId: uint32(zone)}}
	}
	t := &target{family: unix.AF_INET, addr: &unix.SockaddrInet4{Port: port, Addr: ip.As4()}}
	if ip.IsLoopback() {
		for i := range sourceAddresses {
			t.sources = append(t.sources, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i)}})
		}
	}
	return t
}

// open begins a connection; n chooses the local address. waiting means that it is not established yet: the socket gets writable when it is, or
// when that failed. It does not block.
func (t *target) open(n int) (fd int, waiting bool, err error) {
	fd, err = unix.Socket(t.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, false, fmt.Errorf("socket: %w", err)
	}
	if t.family != unix.AF_UNIX {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if len(t.sources) > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err = unix.Bind(fd, t.sources[n%len(t.sources)]); err != nil {
			_ = unix.Close(fd)
			return -1, false, fmt.Errorf("bind: %w", err)
		}
	}
	switch err = unix.Connect(fd, t.addr); {
	case err == nil:
		return fd, false, nil
	case errors.Is(err, unix.EINPROGRESS), errors.Is(err, unix.EINTR):
		return fd, true, nil
	}
	_ = unix.Close(fd)
	return -1, false, fmt.Errorf("connect: %w", err)
}
