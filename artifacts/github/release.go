package github

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// Latest is the tag that stands for the newest release that is neither a
// draft nor a pre-release.
const Latest = "latest"

// The assets of a Kairos release, by what they are.
const (
	Kernel   = "kernel"
	Initrd   = "initrd"
	SquashFS = "squashfs"
	ISO      = "iso"
)

// A Release says which release of which repository, and which of its builds.
// Only Repository is needed to fetch assets by their own names; Flavor as well
// to fetch them by what they are.
type Release struct {
	Repository    string `yaml:"repository"`       // owner/name, such as kairos-io/kairos
	Tag           string `yaml:"release_version"`  // such as v3.3.1; empty is Latest
	Version       string `yaml:"artifact_version"` // as in names of assets, such as v3.3.1-k3sv1.32.1+k3s1; empty is the tag
	Flavor        string `yaml:"flavor"`           // such as ubuntu
	FlavorRelease string `yaml:"flavor_release"`   // such as 24.04; releases before v2.4.2 have none
	Variant       string `yaml:"variant"`          // core or standard; empty is standard if Version says k3s
	Platform      string `yaml:"platform"`         // such as arm64; empty is amd64
}

// check says why r cannot name a release.
func (r *Release) check() error {
	var errs []error
	owner, repo, ok := strings.Cut(r.Repository, "/")
	if !ok || !plain(owner) || !plain(repo) {
		errs = append(errs, fmt.Errorf("github: repository %.100q is not owner/name", r.Repository))
	}
	if strings.ContainsFunc(r.Tag, func(c rune) bool { return c <= ' ' || strings.ContainsRune(`\?*[~^:`, c) }) || strings.Contains(r.Tag, "..") {
		errs = append(errs, fmt.Errorf("github: tag %.100q cannot exist", r.Tag))
	}
	for name, value := range map[string]string{
		"artifact version": r.Version, "flavor": r.Flavor, "flavor release": r.FlavorRelease,
		"variant": r.Variant, "platform": r.Platform,
	} {
		if strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || strings.ContainsRune(`/\?#%`, c) }) {
			errs = append(errs, fmt.Errorf("github: %s %.100q cannot be part of an asset's name", name, value))
		}
	}
	return errors.Join(errs...)
}

// plain says whether s can be a user or a repository on GitHub.
func plain(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && s != "." && s != ".." && strings.Trim(s, letters) == ""
}

// AssetName returns what the asset is called that is a [Kernel], [Initrd],
// [SquashFS] or [ISO], if the release has the given tag. Other names are
// returned as they are.
func (r *Release) AssetName(tag, what string) string {
	end, ok := map[string]string{Kernel: "-kernel", Initrd: "-initrd", SquashFS: ".squashfs", ISO: ".iso"}[what]
	if !ok || r.Flavor == "" {
		return what
	}
	return r.base(tag) + end
}

// base returns what the names of the assets begin with.
func (r *Release) base(tag string) string {
	version := r.Version
	if version == "" {
		version = tag
	}
	variant := r.Variant
	if variant == "" {
		variant = "core"
		if strings.Contains(version, "k3s") {
			variant = "standard"
		}
	}
	platform := r.Platform
	if platform == "" {
		platform = "amd64"
	}
	switch {
	case semver.Compare(tag, "v2.4.0") < 0: // What is no version is older than all.
		if variant == "standard" {
			variant = "kairos"
		}
		return strings.Join([]string{variant, r.Flavor, version}, "-")
	case semver.Compare(tag, "v2.4.2") < 0:
		return strings.Join([]string{"kairos", variant, r.Flavor, platform, "generic", version}, "-")
	default:
		return strings.Join([]string{"kairos", r.Flavor, r.FlavorRelease, variant, platform, "generic", version}, "-")
	}
}
