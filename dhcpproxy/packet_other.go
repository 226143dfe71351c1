//go:build !linux

package dhcpproxy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

type packetConn struct{}

func listenPacket(context.Context, uint16) (*packetConn, error) {
	return nil, fmt.Errorf("packet sockets on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func (*packetConn) readPacket([]byte) (int, Path, error) { return 0, Path{}, errors.ErrUnsupported }

func (*packetConn) writePacket([]byte, Path) error { return errors.ErrUnsupported }

func (*packetConn) setReadDeadline(time.Time) error { return errors.ErrUnsupported }

func (*packetConn) close() error { return errors.ErrUnsupported }
