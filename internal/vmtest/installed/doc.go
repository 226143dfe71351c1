// Package installed is what a system that runs from a disk says of itself. The
// program in the folder report is its first one when the kernel's command line
// has init=/usr/sbin/installed-report: it does what the word report= there
// asks for, prints a [Report] on the serial line and switches the machine off.
package installed
