// Package vmtest boots machines with real firmware on private networks.
//
// A [Network] is an Ethernet segment made of network namespaces: a bridge that
// QEMU's machines are plugged into, and any number of [Host]s, each with a
// namespace and an address of its own, that run servers. Nothing on it can
// reach, or be reached from, the network of the computer that runs the test.
//
//	host     dnsmasq as ordinary DHCP server   a program under test   another
//	          |eth0                             |eth0                  |eth0
//	bridge  --+---------------------------------+----------------------+--
//	          |tap
//	          a machine: SeaBIOS or OVMF, one CPU, no KVM
//
// A [Guest] is what a machine boots to prove that it was booted rightly: a
// kernel of the distribution and an initramfs made here. It prints the command
// line that its kernel was given, fetches the file that config_url names in
// it, prints that too, and powers off. [Guest.Report] reads it from the
// console.
//
// Machines use `-accel tcg`, so that they run where there is no KVM, and at most
// as many at once as there are CPUs, over all processes that use this package.
//
// # Errors
//
// Errors of programs end in the last lines that they printed.
//
// # Shutdown
//
// [Network.Close] ends all programs and machines and removes the namespaces.
// What a killed process left behind is removed by the next [NewNetwork].
//
// # Limits
//
// This needs Linux, root, iproute2, busybox, QEMU and OVMF for x86-64, and a
// kernel with its modules; the script .ci/setup installs them.
package vmtest
