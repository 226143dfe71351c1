// Package firmware holds iPXE boot programs and says which of them boots
// which machine.
//
// # Programs
//
// The programs come from github.com/tinkerbell/ipxedust/binary, pinned in
// go.mod; they report iPXE 1.0.0+, built from iPXE commit 0cc8177cf798.
//
//	name           bytes    for                   network card driven by
//	undionly.kpxe    93955  BIOS, x86             the card's own ROM (UNDI)
//	ipxe.efi       1035264  UEFI, x86-64          iPXE or the firmware (SNP)
//	snp.efi         267264  UEFI, 64-bit Arm      the firmware (SNP)
//
// They are found by architecture code (RFC 4578 §2.1, and the registry
// "Processor Architecture Types" of IANA):
//
//	code      machine                          program
//	0, 20     BIOS, also over HTTP             undionly.kpxe
//	7, 9      UEFI x86-64 (9 by an old error)  ipxe.efi
//	16, 17    the same over HTTP               ipxe.efi
//	11, 19    UEFI 64-bit Arm, also over HTTP  snp.efi
//
// There is no other: a 32-bit UEFI, a RISC-V or a LoongArch machine boots only
// from a tree of the caller's own ([WithTree]). Nothing here is signed, so
// Secure Boot needs such a tree as well, with a shim and what it starts.
//
// A program can be sent over TFTP or HTTP; it asks DHCP servers as user class
// [UserClass].
//
// # Start script
//
// A script is embedded in every program. The one they come with waits two
// seconds for a key and asks DHCP servers twice. [NewSet] overwrites it in the
// UEFI programs with that of [StartScript], which does neither; it is stored
// uncompressed there. In undionly.kpxe it is compressed and stays as it is.
//
// # Errors
//
// Opening an unknown name gives an error that matches [io/fs.ErrNotExist].
// [Patch] reports a program without a script that it knows with
// [ErrNoScript].
//
// # Concurrency
//
// Everything is computed by [NewSet]. A [Set] does not change after that and
// may be used from many goroutines; so may the files it opens.
//
// # Limits
//
// A program that imports this package links 5 MB of iPXE, which is under the
// GNU GPL version 2 or later; see the NOTICE file. A tree of the caller's own
// is read on every request and is never patched.
package firmware
