// Bench compares netboot with the servers that people use today, whole
// programs with whole programs, and prints a table.
//
//	bench -netboot bin/netboot -rootfs bin/rootfs -isobuilder bin/isobuilder [-run REGEXP] [-n ROUNDS] [-seconds SECONDS] [-o results.md]
//
// Everything happens between two hosts, which are network namespaces with a
// cable between them; boots have a network with an ordinary DHCP server and a
// virtual machine. Each round starts every server in turn, checks that it
// serves rightly, and loads it. Ratios are of the same round, so that what else
// the computer does cancels out.
//
//	comparison  with               load
//	offers      dnsmasq            DHCPDISCOVERs and port 4011, 64 machines under way
//	tftp        dnsmasq, atftpd    iPXE by blksize 1468, one and fifty clients
//	window      itself, dnsmasq    windowsize 16 over a path that adds 5 ms each way
//	boot        dnsmasq and nginx  power-on to the guest's marker under OVMF
//	http        nginx              a file of 1 GiB, one and a hundred clients; memory
//	image       skopeo and umoci   pull and flatten 500 MiB in eight layers from docker-registry
//	squashfs    mksquashfs         a root file system of 490 MB: default, gzip 6, zstd 3
//	iso         xorriso            making, changing and reading ISO images of it
//	disk        mke2fs, mcopy,     file systems and disks of it, and the formats of clouds
//	            tar, qemu-img
//
// The generators of load are this program too, as processes of their own.
//
// # Errors
//
// It fails if something does not work, and never because something is slow.
//
// # Limits
//
// It needs Linux, root, and what .ci/setup bench installs. It takes about half an
// hour, during which nothing else should run.
package main
