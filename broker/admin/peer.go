package admin

import (
	"fmt"
	"net"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peer is who stands behind a connection, as the kernel knows it.
type peer struct {
	uid    uint32
	groups []uint32 // the primary and the supplementary ones
}

// allowed reports whether the broker of user own serves p on a socket of group gid.
func (p peer) allowed(own, gid uint32) bool {
	return p.uid == 0 || p.uid == own || slices.Contains(p.groups, gid)
}

// authorize returns an error if the peer of c may not administer the broker.
func (l *Listener) authorize(c *net.UnixConn) error {
	p, err := peerOf(c)
	if err != nil {
		return fmt.Errorf("the broker cannot tell who asks: %w", err)
	}
	if !p.allowed(uint32(os.Geteuid()), l.gid) {
		return fmt.Errorf("user %d may not administer this broker: be root, or a member of group %d", p.uid, l.gid)
	}
	return nil
}

// peerOf asks the kernel for the credentials the peer of c had when it connected.
func peerOf(c *net.UnixConn) (p peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return p, err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err != nil {
			return
		}
		p.uid = cred.Uid
		p.groups = append(peerGroups(fd), cred.Gid)
	})
	if err == nil {
		err = ctlErr
	}
	return p, err
}

// peerGroups returns the supplementary groups of the peer; none on kernels before 4.13, which do not tell.
func peerGroups(fd uintptr) []uint32 {
	groups := make([]uint32, 64)
	for {
		size := uint32(len(groups) * 4)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4]
		case errno == unix.ERANGE && int(size/4) > len(groups) && size < 1<<20:
			groups = make([]uint32, size/4)
		default:
			return nil
		}
	}
}
