// Package oci makes file trees of container images.
//
// [Open] finds the image that a reference leads to, and [Rootfs] its root file
// system, as an [*artifacts.Tree]: without root rights, and without unpacking
// anything. [Registry], [Daemon], [Archive] and [Layout] open images of one
// kind, [Flatten] takes layers from wherever they come.
//
//	reference                                     leads to
//	quay.io/a/b:c, oci:REF, oci://REF             a registry
//	docker:REF, docker://REF                      the local daemon, or else a registry
//	dir:PATH, dir://PATH                          a folder: an OCI layout, or a file tree
//	ocifile:PATH, ocifile://PATH, file:PATH       a tar: docker save, an OCI layout, or a file tree
//
// AuroraBoot asks the local daemon first for images without a scheme as well;
// here only docker: does. See [Parse] for what else there is to references.
//
// # Registries
//
// Manifests and blobs are fetched into an [*artifacts.Store], the latter side
// by side, and found there by their digests ever after:
//
//	requests                    first time                    again    again, without a network
//	an image by tag             HEAD, 1 or more GETs, blobs   1 HEAD   the digest last seen, and a warning
//	an image by digest          1 or more GETs, blobs         none     the image
//
// To these come those for a token, where a registry wants one. A blob whose
// transfer breaks is resumed. Layers that registries must not distribute are
// fetched from the addresses in the manifest, without credentials.
//
// Nothing goes over plain HTTP, or to a server with an untrusted certificate,
// unless [WithPlainHTTP] or [WithUntrustedTLS] permit it; that is so for
// redirects, and for registries at local addresses, too. Credentials go to the
// registry and to the token server that it names, and to no host that it
// redirects to.
//
// # Verification
//
// Manifests and configurations have to have the digests by which they were
// named, blobs of registries as well. Of every layer the uncompressed content
// is compared with the digest in the configuration, wherever the image is from,
// before [Rootfs] keeps anything.
//
// # Root file systems
//
// [Rootfs] keeps one tar in the store for all images with the same layers, and
// finds it again before it fetches anything. Layers are flattened while others
// are still fetched. An image of a daemon is exported once.
//
// # Errors
//
// Errors are [*Error], and wrap [*ReferenceError], [*PlatformError], or those
// of package artifacts: [*artifacts.HTTPError], [*artifacts.DigestError]. An
// image that is not there matches [io/fs.ErrNotExist], one that may not be read
// [io/fs.ErrPermission]. Credentials and signed addresses are in no error.
//
// # Concurrency
//
// All functions, and the methods of an [*Image], may be called concurrently,
// also by several processes with one store. No goroutine outlives a call, but
// for those of connections that are kept for the next: [Image.Close] ends them.
//
// # Limits
//
//	what                                 unit    limit
//	manifest, index, manifest.json       bytes   4 MiB (OCI Distribution 1.1)
//	configuration                        bytes   16 MiB
//	layers of an image                           1024
//	indexes read for one image                   32
//	images without a platform in one index       64
//	layers, each and all, uncompressed   bytes   64 GiB, see WithMaxSize
//	window of zstd                       bytes   128 MiB
//	repository; tag                      bytes   255; 128
//
// Layers are plain or compressed by gzip or zstd, and digests are SHA-256.
// Memory does not grow with layers, but a window of zstd is held for each of up
// to four that are read at once; 8 MiB are usual.
// Manifests of schema 1 and encrypted layers are refused. A token server that
// is named by a private IP address is refused by go-containerregistry, unless
// it is the registry's own host and port; give it a name. The daemon of Windows
// is reached by TCP only, and not by a named pipe.
package oci
