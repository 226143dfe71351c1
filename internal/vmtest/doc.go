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
// A machine that boots from drives needs no network, and no root: [Boot] starts
// it with CDs, USB sticks and disks, for amd64 or arm64.
//
// A [Guest] is what a machine boots to prove that it was booted rightly: a
// kernel of the distribution and an initramfs made here. It prints the command
// line that its kernel was given, fetches the file that config_url names in
// it, prints that too, and powers off. [Guest.Report] reads it from the
// console.
//
// [LiveRoot] is the root file system of a Debian that runs from an image; its
// first program reports what it was booted from, and [Machine.Live] reads that
// from the console. [Manifests] has a machine mount images, with the file
// systems of Linux, and list what is in them.
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
// # Caches
//
// What [LiveRoot] made and [Packages] fetched is in the folder netbootkit-vmtest
// among the user's caches, locked while it is looked at or added to.
//
// # Limits
//
// This needs Linux, QEMU, OVMF or AAVMF, and a kernel with its modules; networks
// need root, iproute2 and busybox; live systems root, mmdebstrap, and a mirror of
// Debian. The script .ci/setup installs the programs.
package vmtest
