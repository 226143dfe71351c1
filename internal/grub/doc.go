// Package grub composes GRUB's BIOS boot images from its modules.
package grub
