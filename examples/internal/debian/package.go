package debian

import "github.com/netbootkit/netbootkit/artifacts"

// DefaultBase is Debian's archive as it was in August 2026. The folder pool is in
// it, as in that of any mirror.
const DefaultBase = "https://snapshot.debian.org/archive/debian/20260801T000000Z"

// A Package is one version of a Debian package.
type Package struct {
	Name    string
	Version string
	Arch    string // as Debian calls it, which is also GOARCH; "all" for any
	Path    string // below the archive
	Size    int64  // in bytes
	Digest  artifacts.Digest
}

// Loaders returns the packages with what boots images for an architecture, as
// GOARCH calls it. It is empty if there are none.
func Loaders(arch string) []Package {
	switch arch {
	case "amd64":
		return []Package{{
			Name: "grub-pc-bin", Version: "2.06-13+deb12u2", Arch: "amd64", Size: 1001508,
			Path:   "pool/main/g/grub2/grub-pc-bin_2.06-13+deb12u2_amd64.deb",
			Digest: "sha256:db6aced5a89f02e10e150140b4df9621196f311c26203baf8558b4c6808e1298",
		}, {
			Name: "grub-efi-amd64-signed", Version: "1+2.06+13+deb12u2", Arch: "amd64", Size: 1253404,
			Path:   "pool/main/g/grub-efi-amd64-signed/grub-efi-amd64-signed_1+2.06+13+deb12u2_amd64.deb",
			Digest: "sha256:fbe2b28166a6dca8111bbf6a30d52d4781973c3a0440d8080f901e039b1f83f2",
		}, {
			Name: "shim-signed", Version: "1.51~1+deb12u1+16.1-2~deb12u1", Arch: "amd64", Size: 350384,
			Path:   "pool/main/s/shim-signed/shim-signed_1.51~1+deb12u1+16.1-2~deb12u1_amd64.deb",
			Digest: "sha256:c2acf5e559664bbadb7ce5789f9a321f39754a34854d3097b8cc0369df513b3b",
		}}
	case "arm64":
		return []Package{{
			Name: "grub-efi-arm64-signed", Version: "1+2.06+13+deb12u2", Arch: "arm64", Size: 1228148,
			Path:   "pool/main/g/grub-efi-arm64-signed/grub-efi-arm64-signed_1+2.06+13+deb12u2_arm64.deb",
			Digest: "sha256:0035392c773553c70bb22079146b0365ff8220419997837289cc1591c2233e8e",
		}, {
			Name: "shim-signed", Version: "1.51~1+deb12u1+16.1-2~deb12u1", Arch: "arm64", Size: 319732,
			Path:   "pool/main/s/shim-signed/shim-signed_1.51~1+deb12u1+16.1-2~deb12u1_arm64.deb",
			Digest: "sha256:b0fba57ceea346d5c6deabe391ed24b9c5d72cc79572ae2cdcae376077cd8d00",
		}}
	default:
		return nil
	}
}

// IPXE returns the package with iPXE's programs, in usr/lib/ipxe.
func IPXE() Package {
	return Package{
		Name: "ipxe", Version: "1.0.0+git-20190125.36a4c85-5.1", Arch: "all", Size: 1171912,
		Path:   "pool/main/i/ipxe/ipxe_1.0.0+git-20190125.36a4c85-5.1_all.deb",
		Digest: "sha256:49dc854857dcfb354292bdc79ce7419e0d72988666723395b2e102d147c3730d",
	}
}
