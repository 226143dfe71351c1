package ipxe

import (
	"context"
	"net"
)

// connKey is under which the context of a request has its connection.
type connKey struct{}

// withConn is for [net/http.Server.ConnContext].
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// cork has the connection of a request send full segments only, until release
// is called. The kernel otherwise sends a short one for every few pages of a
// file, which takes a third of the rate on a fast network. Connections of
// another server than [Handler.Serve], and those with TLS, stay as they are.
func cork(ctx context.Context) (release func()) {
	c, ok := ctx.Value(connKey{}).(*net.TCPConn)
	if !ok {
		return func() {}
	}
	setCork(c, true)
	return func() { setCork(c, false) }
}
