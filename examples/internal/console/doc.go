// Package console writes log records as lines for people: the time, a level
// where it matters, the message, and the attributes.
//
//	2026/11/21 14:27:30 DHCP: Offering to boot 08:00:27:54:1a:d1
//	2026/11/21 14:27:41 WARN handler timed out mac=08:00:27:54:1a:d1
package console
