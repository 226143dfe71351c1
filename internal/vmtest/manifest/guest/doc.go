// Guest is the first program of a virtual machine. It mounts what the file
// /mounts of its initramfs names, lists it, writes the results to the last
// disk, and switches the machine off.
package main
