// Package debian fetches boot loaders from Debian's archive, for systems that
// have none: GRUB for a BIOS, shim and GRUB for UEFI with Secure Boot, and iPXE.
//
// The packages are those of Debian 12.15, pinned by their digests, so what is
// fetched is the same for as long as somebody keeps it. Debian's mirrors remove
// old versions; its snapshot archive keeps them.
//
// # Errors
//
// Errors name the package and its URL. Those of [WithLoaders] also say how to do
// without them.
//
// # Concurrency
//
// All functions may be called concurrently.
//
// # Limits
//
// Debian signs no shim for riscv64, and Debian 12 does not have that
// architecture: there is nothing for it here.
package debian
