// Package sigstore verifies signatures made with Sigstore, as a verifier for
// [artifacts.WithVerifier].
//
// It is a module of its own, so that only who imports it has the modules
// behind it in the graph.
//
//	verifier      reads beside a file                            trusts
//	Bundles       name.sigstore.json, name.sigstore, name.bundle who holds one of the identities
//	PublicKey     name.sig                                       who holds the private key (cosign sign-blob --key)
//
// The files are opened at the source of the file, and kept by the store, so
// that a file is verified without a network as well. The first that exists is
// the one that counts.
//
// # Trust
//
// Nothing is trusted that the caller did not hand over. The trusted root for
// [NewBundles] is a file that Sigstore calls trusted_root.json
// ([root.NewTrustedRootFromJSON]); what the public instance has now comes from
// [root.FetchTrustedRootWithOptions], which uses the network and a folder.
//
// # Errors
//
// A file without a signature matches [io/fs.ErrNotExist].
//
// # Concurrency
//
// Verifiers may be used concurrently.
//
// # Limits
//
// Signatures of images in registries are not read.
package sigstore
