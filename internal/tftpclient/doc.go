// Package tftpclient is a TFTP client for tests and benchmarks, as strict as
// the strictest firmware: what a server may not send ends the transfer.
//
// # Protocol
//
// RFC 1350 read requests with the options of RFC 2347, 2348, 2349 and 7440.
// Like EDK2, it refuses an OACK with an option it did not ask for or a value
// above what it asked. Packets from a port other than the one that answered
// first are told error 5 and otherwise passed over.
//
// # Errors
//
// An ERROR packet from the server is returned as an [*Error].
//
// # Concurrency
//
// A [Client] is a plain description and may be used by many goroutines at once.
//
// # Limits
//
// It reads only, and does not convert netascii.
package tftpclient
