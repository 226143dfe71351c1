//go:build !linux

package ipxe

import "net"

// setCork does nothing: other systems have no such option, or another one.
func setCork(*net.TCPConn, bool) {}
