// Package netsim is a UDP relay for tests and benchmarks: a path that delays,
// loses, repeats and reorders packets between clients and one server.
//
// # Shapes
//
// A [Path] says what happens to a packet, in each direction alike:
//
//	field      unit      range  default
//	Delay      duration  0..    0
//	Loss       share     0..1   0
//	Duplicate  share     0..1   0
//	Reorder    share     0..1   0
//	Late       duration  0..    2 ms
//
// Protocols such as TFTP answer from a port of their own. A relay gives each
// port of the server that talks to a client a port of its own on the client's
// side, so that the client sees as many peers as it would without the relay:
//
//	client ⇄ front port ⇄ a socket for this client ⇄ server's port for requests
//	client ⇄ new port   ⇄ the same socket          ⇄ server's new port
//
// # Errors
//
// A packet that cannot be sent is lost, as on any path.
//
// # Shutdown
//
// [Relay.Close] ends every goroutine and closes every socket.
//
// # Limits
//
// Random numbers come from a seeded source, but which packet gets which depends
// on the order of arrival. On Linux, delays are kept to about 0.1 ms; elsewhere
// to what timers of the system give.
package netsim
