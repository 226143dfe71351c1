// Package live is what a live system that was booted from an image says of
// itself. The program in the folder report is its first one when the kernel's
// command line has init=/usr/sbin/live-report: it prints a [Report] on the
// serial line and switches the machine off.
package live
