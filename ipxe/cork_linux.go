package ipxe

import (
	"net"

	"golang.org/x/sys/unix"
)

// setCork sets or removes TCP_CORK (tcp(7)). Removing it sends what was held
// back. A failure costs speed and nothing else.
func setCork(c *net.TCPConn, on bool) {
	value := 0
	if on {
		value = 1
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, value) })
}
