package oci

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Kind says where a [Reference] leads.
type Kind int

// The places where images are.
const (
	KindRegistry Kind = iota // a registry
	KindDaemon               // the local Docker daemon, then a registry
	KindDir                  // a folder: a file tree, or an OCI layout
	KindArchive              // a tar file: docker save, an OCI layout, or a file tree
)

// Bounds of names, as registries set them (OCI Distribution 1.1, Pulling manifests).
const (
	maxRepository = 255
	maxTag        = 128
)

const (
	hub          = "docker.io"
	hubNamespace = "library/"
)

// A Reference says where an image is. The zero value leads nowhere; [Parse]
// makes one.
type Reference struct {
	Kind Kind

	Path string // of a KindDir or KindArchive, as it was written

	// Of an image in a registry or daemon.
	Registry   string           // host, perhaps with a port; "docker.io" if none was named
	Repository string           // such as "library/ubuntu"
	Tag        string           // "latest" if there was neither a tag nor a digest
	Digest     artifacts.Digest // it wins over the tag
}

// Parse reads a reference in any of the forms that AuroraBoot documents:
//
//	quay.io/kairos/ubuntu:24.04   an image in a registry; so are oci:REF and oci://REF
//	docker:REF, docker://REF      an image of the local daemon, or else of a registry
//	dir:PATH, dir://PATH          a folder, absolute or relative
//	ocifile:PATH, ocifile://PATH  a tar file; so are file:PATH and file://PATH
//
// An image without a registry is one of docker.io; without a tag it is the
// one tagged latest. Paths are taken as they are, without percent-encoding.
func Parse(s string) (Reference, error) {
	scheme, rest := cutScheme(s)
	var (
		ref Reference
		err error
	)
	switch scheme {
	case "dir", "file", "ocifile":
		ref.Kind, ref.Path = KindArchive, rest
		if scheme == "dir" {
			ref.Kind = KindDir
		}
		if rest == "" || strings.ContainsRune(rest, 0) {
			err = fmt.Errorf("want a path after the scheme %s", scheme)
		}
	case "docker":
		ref, err = parseImage(rest)
		ref.Kind = KindDaemon
	default:
		ref, err = parseImage(rest)
	}
	if err != nil {
		return Reference{}, &ReferenceError{Reference: s, Err: err}
	}
	return ref, nil
}

// cutScheme takes a known scheme off s, and the slashes that may follow it.
func cutScheme(s string) (scheme, rest string) {
	scheme, rest, found := strings.Cut(s, ":")
	if scheme = strings.ToLower(scheme); !found {
		return "", s
	}
	switch scheme {
	case "oci", "docker", "dir", "file", "ocifile":
		return scheme, strings.TrimPrefix(rest, "//")
	}
	return "", s
}

// parseImage reads registry/repository:tag@digest.
func parseImage(s string) (Reference, error) {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return Reference{}, fmt.Errorf("%s:// is no kind of image; want oci:, docker:, dir:, file:, ocifile: or none", scheme)
	}
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") {
		return Reference{}, errors.New("it looks like a path; want dir:PATH for a folder, ocifile:PATH for a tar")
	}
	ref := Reference{Registry: hub}
	repository, digest, pinned := strings.Cut(s, "@")
	if pinned {
		ref.Digest = artifacts.Digest(digest)
		if err := checkDigest(ref.Digest); err != nil {
			return Reference{}, err
		}
	}
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, ref.Tag = repository[:i], repository[i+1:]
		if err := checkTag(ref.Tag); err != nil {
			return Reference{}, err
		}
	}
	if first, rest, ok := strings.Cut(repository, "/"); ok && isRegistry(first) {
		ref.Registry, repository = first, rest
	}
	if ref.Tag == "" && !pinned {
		ref.Tag = "latest"
	}
	ref.Repository = repository
	if ref.Registry == "index.docker.io" {
		ref.Registry = hub
	}
	if ref.Registry == hub && !strings.Contains(repository, "/") {
		ref.Repository = hubNamespace + repository
	}
	return ref, ref.check(repository)
}

// isRegistry says whether the part before the first slash names a host.
func isRegistry(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:")
}

// check says why the parts cannot be; repository is as it was written.
func (r Reference) check(repository string) error {
	if u, err := url.Parse("//" + r.Registry); err != nil || u.Host != r.Registry || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("registry %q: want a host name or address, and perhaps a port", r.Registry)
	}
	if _, err := netip.ParseAddr(repository); err == nil {
		return errors.New("a registry without a repository; want HOST:PORT/NAME")
	}
	return checkRepository(r.Repository)
}

// checkRepository accepts lower-case words joined by single separators and
// slashes.
func checkRepository(s string) error {
	switch {
	case s == "" || s == hubNamespace:
		return errors.New("no repository; want [HOST[:PORT]/]NAME[:TAG][@DIGEST]")
	case len(s) > maxRepository:
		return fmt.Errorf("repository of %d bytes, more than %d", len(s), maxRepository)
	case strings.ToLower(s) != s:
		return fmt.Errorf("repository %q: want lower case", s)
	}
	for word := range strings.SplitSeq(s, "/") {
		if !isWord(word) {
			return fmt.Errorf("repository %q: %q is not made of a-z, 0-9 and single '.', '_', '__' or dashes between them", s, word)
		}
	}
	return nil
}

// isWord says whether s is one part of a repository's path.
func isWord(s string) bool {
	alnum := func(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	if s == "" || !alnum(s[0]) || !alnum(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && !alnum(s[i]) {
			i++
		}
		switch sep := s[start:i]; {
		case sep == "" || sep == "." || sep == "_" || sep == "__":
		case strings.Trim(sep, "-") != "":
			return false
		}
		i++
	}
	return true
}

// checkTag accepts a letter, digit or underscore, and up to 127 of those,
// dots and dashes.
func checkTag(s string) error {
	word := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
	}
	for i, c := range s {
		if !word(c) && (i == 0 || c != '.' && c != '-') {
			return fmt.Errorf("tag %q: %q is not allowed there", s, c)
		}
	}
	if s == "" || len(s) > maxTag {
		return fmt.Errorf("tag of %d characters; want 1 to %d", len(s), maxTag)
	}
	return nil
}

// checkDigest accepts SHA-256 only: it is what registries use.
func checkDigest(d artifacts.Digest) error {
	if same, err := artifacts.ParseDigest(string(d)); err != nil || same != d || d.Algorithm() != artifacts.SHA256 {
		return fmt.Errorf("digest %.160q: want sha256: and 64 lower-case hexadecimal digits", string(d))
	}
	return nil
}

// String returns the reference in a form that parses to the same.
func (r Reference) String() string {
	switch r.Kind {
	case KindDir:
		return "dir:" + guardPath(r.Path)
	case KindArchive:
		return "ocifile:" + guardPath(r.Path)
	case KindDaemon:
		return "docker:" + r.image()
	}
	return r.image()
}

// guardPath keeps slashes at the start from being taken for those of a URL.
func guardPath(path string) string {
	if strings.HasPrefix(path, "//") {
		return "//" + path
	}
	return path
}

// image returns registry, repository, tag and digest.
func (r Reference) image() string {
	s := r.Registry + "/" + r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// familiar returns the image's name as people write it, and daemons keep it.
func (r Reference) familiar() string {
	short := r
	if r.Digest != "" {
		short.Tag = ""
	}
	s := strings.TrimPrefix(short.image(), hub+"/")
	return strings.TrimPrefix(s, hubNamespace)
}

// identifier returns what a registry is asked for: the digest, or the tag.
func (r Reference) identifier() string {
	if r.Digest != "" {
		return string(r.Digest)
	}
	return r.Tag
}
