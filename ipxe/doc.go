// Package ipxe boots machines over HTTP: it writes scripts in iPXE's language
// and serves the files which they name.
//
// A [Booter] decides what each machine boots: a [Table] by MAC address, UUID,
// serial number or architecture, [Static] the same for all, [API] by asking a
// server of pixiecore's API, [Once] each machine once and then its disk, or a
// type of the caller's own. A [Handler] renders the script, signs a link for
// each file, and sends the files:
//
//	path                          query                        answer
//	/_/ipxe                       mac, arch, uuid, serial, …   the machine's script
//	/_/file                       name (a link's ID)           a file that a spec named
//	/_/booting                    name (a link's ID)           notes that the kernel starts
//	/_/boot/<mac>/<program>                                    a boot program, with WithPrograms
//	/_/boot/<mac>/autoexec.ipxe                                see WithAutoexec
//
// # Scripts
//
// A script uses what default builds of iPXE from 2015 to 2.0 know, and starts
// with imgfree: an image that came before, such as autoexec.ipxe, would
// otherwise be put in front of the initrds. Each file is fetched in a loop:
//
//	field      unit       range       default  meaning
//	Retries    attempts   0..1000     9        after the first one; waits 1, 2, 4, 8, 8, … seconds
//	Timeout    duration   1ms..1h     10s      without progress; iPXE's own is 120 s
//	OnFailure             see Failure exit     exit is with an error, see LocalExit
//
// iPXE's language has neither quotes nor escapes. A value is refused with a
// [*ScriptError] if it holds ${, a control character, a word that iPXE takes
// for an operator or a comment, or spaces that it would drop.
//
// # Names and links
//
// Names in a [Spec] are relative to the root of the caller's tree; a leading
// slash is dropped, so {{ ID "/files/x" }} is files/x. A link holds its name,
// the machine and the time at which it expires, encrypted and authenticated
// by AES-256-GCM under a key derived from [WithKey]. Servers with the same key
// and files answer for each other, and a restart breaks no link. An ID is only
// made from a Spec, so no request can open anything else. ETags come from size
// and modification time (to the nanosecond), or from the content where there
// is no time: keep times when copying files from server to server.
//
// # Errors
//
// Machines are told a status and a short text without details:
//
//	status  when
//	400     no or bad MAC address, UUID or name; a request with a body
//	403     a link that expired or was not made with this key; fs.ErrPermission
//	404     a nil Spec, LocalNotFound, a missing file; iPXE goes on to the next boot device
//	405     a method other than GET and HEAD
//	412,416 conditions and ranges that do not hold (RFC 9110)
//	500     any other error of the Booter, and panics
//	503     ErrNotReady and too many transfers, with Retry-After of 1 to 60 seconds
//
// iPXE waits as Retry-After says. The Timeout of a script goes on meanwhile,
// so a Booter does better to be not ready in BootSpec, where there is none,
// than in OpenBootFile. The details are in the [*Error] of the [Event], and
// in the log.
//
// # Concurrency
//
// All types may be used concurrently, unless they say otherwise. Events are
// reported from the goroutine of the request. [Handler.Serve] leaves no
// goroutine behind; the downloads of an API end with [API.Close].
//
// # Limits
//
// What a machine says about itself is not proven, and neither the scripts nor
// the files are encrypted without [WithTLS]: whoever can read a script can
// fetch what it names, and use up a machine's turn of [Once]; a table that
// boots every machine lets it do so for addresses that it makes up. HTTP/2, POST and uploads are not supported. A script
// cannot verify signatures (imgverify), as default builds lack it.
package ipxe
