// Package timeline joins what the DHCP, TFTP and HTTP servers report into one
// list of steps for each machine, from its first request to its kernel.
//
// A step is a line for people, in the words that users of pixiecore and
// AuroraBoot know, or the attributes of a log record:
//
//	DHCP: Offering to boot 08:00:27:54:1a:d1
//	TFTP: Sent "08:00:27:54:1a:d1/ipxe.efi" to 192.168.68.113:6489
//	HTTP: Sending ipxe boot script to 192.168.68.113:45435
//	HTTP: Sent file "kernel" to 192.168.68.113:45435
//	BOOT: 08:00:27:54:1a:d1 starts its kernel 14.2s after its first request: …
//
// Memory is bounded: the newest machines and the newest steps of each are
// kept.
package timeline
