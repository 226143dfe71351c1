package oci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A platform is what an image runs on, as in linux/arm64/v8.
type platform struct {
	os, arch, variant string
}

// parsePlatform reads os/arch or os/arch/variant; the names are Go's.
func parsePlatform(s string) (platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return platform{}, fmt.Errorf("oci: platform %q: want os/arch or os/arch/variant, such as linux/arm64", s)
	}
	p := platform{os: parts[0], arch: parts[1]}
	if len(parts) == 3 {
		p.variant = parts[2]
	}
	return p.normal(), nil
}

// normal gives the architectures that have several names the one of Go.
func (p platform) normal() platform {
	switch p.arch {
	case "x86_64", "x86-64":
		p.arch = "amd64"
	case "aarch64":
		p.arch = "arm64"
	case "i386":
		p.arch = "386"
	case "armhf":
		p.arch, p.variant = "arm", cmp.Or(p.variant, "v7")
	case "armel":
		p.arch, p.variant = "arm", cmp.Or(p.variant, "v6")
	}
	return p
}

// String returns the platform as in linux/arm64/v8.
func (p platform) String() string {
	s := p.os + "/" + p.arch
	if p.variant != "" {
		s += "/" + p.variant
	}
	return s
}

// level returns a variant as a number; an architecture without one has that
// which all its machines can run.
func (p platform) level() string {
	switch {
	case p.variant != "":
		return p.variant
	case p.arch == "amd64":
		return "v1"
	case p.arch == "arm64":
		return "v8"
	case p.arch == "arm":
		return "v7"
	}
	return ""
}

// runs says whether what was built for q runs on p: the same system and
// architecture, at no higher a variant. An image may leave out what it was
// built for.
func (p platform) runs(q platform) bool {
	q = q.normal()
	return (q.os == "" || q.os == p.os) && (q.arch == "" || q.arch == p.arch && q.level() <= p.level())
}

// choose returns the best of the manifests for p: the highest variant, the
// first of equals.
func (p platform) choose(all []found) (best found, ok bool) {
	for _, f := range all {
		q := platformOf(f.Platform)
		if p.runs(q) && (!ok || q.level() > platformOf(best.Platform).level()) {
			best, ok = f, true
		}
	}
	return best, ok
}

func platformOf(p *v1.Platform) platform {
	if p == nil {
		return platform{}
	}
	return platform{os: p.OS, arch: p.Architecture, variant: p.Variant}.normal()
}
