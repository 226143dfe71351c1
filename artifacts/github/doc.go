// Package github fetches artifacts from the releases of a GitHub repository.
//
// A [Source] is one release, given to [artifacts.Store.Get]. It knows assets
// by their own names, and those of Kairos by what they are:
//
//	name      asset                  without that asset, with WithISO
//	kernel    <base>-kernel          boot/kernel of the ISO
//	initrd    <base>-initrd          boot/initrd of the ISO
//	squashfs  <base>.squashfs        rootfs.squashfs of the ISO
//	iso       <base>.iso
//
// # Names of Kairos assets
//
// The tag decides how <base> is made. Tags are compared as semantic versions;
// one that is none, such as "master", is older than all others:
//
//	tag               base
//	before v2.4.0     variant-flavor-version; the variant standard is written kairos
//	v2.4.0, v2.4.1    kairos-variant-flavor-platform-generic-version
//	from v2.4.2       kairos-flavor-flavorrelease-variant-platform-generic-version
//
// # Requests
//
// The API is asked once for each Source and minute (GET
// /repos/{owner}/{repo}/releases/tags/{tag}, or /latest), and again for
// further pages if an asset is not among those that came with the release.
// Assets are fetched from their download address; with a token, which private
// repositories need, through the API. Without a token GitHub answers 60
// requests an hour and address. Once these are used up, a release with a
// given tag is fetched without asking the API; its digests then come only from
// files of checksums beside the assets.
//
// # Digests
//
// The API gives a SHA-256 for assets uploaded since June 2025. It is checked,
// and so is the first of the release's files of checksums that lists the
// asset: <asset>.sha256, <asset>.sha512, and those whose names say SHA256SUMS,
// SHA512SUMS or checksums.
//
// # Errors
//
// A [*RateLimitError] says when GitHub answers again. A release or an asset
// that does not exist matches [io/fs.ErrNotExist]; the error lists what there
// is that comes near. Answers that are neither are [*artifacts.HTTPError].
//
// # Concurrency
//
// A Source may be used concurrently.
//
// # Limits
//
// Draft releases cannot be fetched, nor the archives of source code.
package github
