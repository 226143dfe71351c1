// Package bootloader finds shim and GRUB in a file tree.
package bootloader
