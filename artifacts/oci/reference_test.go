package oci_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func image(registry, repository, tag string) oci.Reference {
	return oci.Reference{Registry: registry, Repository: repository, Tag: tag}
}

func daemon(registry, repository, tag string) oci.Reference {
	r := image(registry, repository, tag)
	r.Kind = oci.KindDaemon
	return r
}

func TestParse(t *testing.T) {
	t.Parallel()

	tests := map[string]oci.Reference{
		// Every form of AuroraBoot.
		"oci:quay.io/a/b:c":            image("quay.io", "a/b", "c"),
		"oci://quay.io/a/b:c":          image("quay.io", "a/b", "c"),
		"docker:quay.io/a/b:c":         daemon("quay.io", "a/b", "c"),
		"docker://quay.io/a/b:c":       daemon("quay.io", "a/b", "c"),
		"quay.io/a/b:c":                image("quay.io", "a/b", "c"),
		"dir:/path":                    {Kind: oci.KindDir, Path: "/path"},
		"dir:///path":                  {Kind: oci.KindDir, Path: "/path"},
		"dir://a/b":                    {Kind: oci.KindDir, Path: "a/b"},
		"dir:a/b":                      {Kind: oci.KindDir, Path: "a/b"},
		"dir:.":                        {Kind: oci.KindDir, Path: "."},
		"dir:/a b%20c":                 {Kind: oci.KindDir, Path: "/a b%20c"},
		"file:/path":                   {Kind: oci.KindArchive, Path: "/path"},
		"file:///path":                 {Kind: oci.KindArchive, Path: "/path"},
		"ocifile:/path.tar":            {Kind: oci.KindArchive, Path: "/path.tar"},
		"ocifile:///path.tar":          {Kind: oci.KindArchive, Path: "/path.tar"},
		"ocifile:path.tar":             {Kind: oci.KindArchive, Path: "path.tar"},
		"docker:ubuntu:24.04":          daemon("docker.io", "library/ubuntu", "24.04"),
		"localhost:5000/foo:bar":       image("localhost:5000", "foo", "bar"),
		"quay.io:443/a/b:c":            image("quay.io:443", "a/b", "c"),
		"oci:192.168.1.1:5000/foo:bar": image("192.168.1.1:5000", "foo", "bar"),
		// Those that it chokes on.
		"192.168.1.1:5000/foo":         image("192.168.1.1:5000", "foo", "latest"),
		"docker://ubuntu:24.04":        daemon("docker.io", "library/ubuntu", "24.04"),
		"oci://192.168.1.1:5000/foo:1": image("192.168.1.1:5000", "foo", "1"),
		"[2001:db8::1]:5000/foo/bar:1": image("[2001:db8::1]:5000", "foo/bar", "1"),
		// Names that are left out.
		"ubuntu":                    image("docker.io", "library/ubuntu", "latest"),
		"kairos/ubuntu":             image("docker.io", "kairos/ubuntu", "latest"),
		"docker.io/ubuntu":          image("docker.io", "library/ubuntu", "latest"),
		"index.docker.io/a/ubuntu":  image("docker.io", "a/ubuntu", "latest"),
		"localhost/foo":             image("localhost", "foo", "latest"),
		"OCI:ubuntu":                image("docker.io", "library/ubuntu", "latest"),
		"x/a__b.c-d--e/f_g:T.a-g_1": image("docker.io", "x/a__b.c-d--e/f_g", "T.a-g_1"),
		"ubuntu:123456789012":       image("docker.io", "library/ubuntu", "123456789012"),
	}
	for s, want := range tests {
		got, err := oci.Parse(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()

	got, err := oci.Parse("quay.io/a/b@" + someDigest)
	require.NoError(t, err)
	assert.Equal(t, oci.Reference{Registry: "quay.io", Repository: "a/b", Digest: someDigest}, got)

	got, err = oci.Parse("docker://localhost:5000/b:c@" + someDigest)
	require.NoError(t, err)
	assert.Equal(t, oci.Reference{Kind: oci.KindDaemon, Registry: "localhost:5000", Repository: "b", Tag: "c", Digest: someDigest}, got)
	assert.Equal(t, "docker:localhost:5000/b:c@"+someDigest, got.String())
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"":                                      "no repository",
		"oci:":                                  "no repository",
		"docker://":                             "no repository",
		"dir:":                                  "want a path",
		"dir://":                                "want a path",
		"ocifile:":                              "want a path",
		"dir:a\x00b":                            "want a path",
		"https://quay.io/a/b":                   "https:// is no kind of image; want oci:, docker:, dir:, file:, ocifile: or none",
		"ftp://x/y":                             "ftp:// is no kind of image",
		"192.168.1.1:5000":                      "registry without a repository",
		"quay.io/A/b":                           "want lower case",
		"Ubuntu":                                "want lower case",
		"quay.io/a//b":                          `"" is not made of`,
		"quay.io/a/":                            `"" is not made of`,
		"/a/b":                                  "looks like a path; want dir:PATH for a folder, ocifile:PATH for a tar",
		"./a":                                   "looks like a path",
		"docker:../a/b":                         "looks like a path",
		"quay.io/a b":                           "is not made of",
		"quay.io/a.-b":                          "is not made of",
		"quay.io/a___b":                         "is not made of",
		"quay.io/../etc":                        "is not made of",
		" ubuntu":                               "is not made of",
		"ubuntu:":                               "tag of 0 characters; want 1 to 128",
		"ubuntu:.x":                             `'.' is not allowed there`,
		"ubuntu:a b":                            `' ' is not allowed there`,
		"ubuntu:" + strings.Repeat("x", 129):    "tag of 129 characters",
		strings.Repeat("x", 256):                "more than 255",
		"ubuntu@sha256:12":                      "want sha256: and 64",
		"ubuntu@" + strings.ToUpper(someDigest): "want sha256: and 64",
		"ubuntu@" + someDigest + "@" + someDigest: "want sha256: and 64",
		"user@quay.io/a/b":                        "want sha256: and 64",
		"quay.io:port/a":                          "want a host name or address",
		":5000/a":                                 "want a host name or address",
		"[::1/a":                                  "want a host name or address",
	}
	for s, want := range tests {
		got, err := oci.Parse(s)
		require.ErrorContains(t, err, want, "%q gave %+v", s, got)
		refused := &oci.ReferenceError{}
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, s, refused.Reference)
		if len(s) < 100 {
			assert.Contains(t, err.Error(), strings.TrimSuffix(strings.TrimPrefix(quoted(s), `"`), `"`), "the error names the reference")
		}
	}
}

func quoted(s string) string { return strconv.Quote(s) }

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"ubuntu", "oci://a/b:c", "docker:localhost:5000/x@" + someDigest, "dir://a", "ocifile:///x", "[::1]:5000/a:b", "dir:////a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := oci.Parse(s)
		if err != nil {
			return
		}
		again, err := oci.Parse(ref.String())
		require.NoError(t, err, "%q of %q", ref, s)
		require.Equal(t, ref, again, "%q", s)
		if ref.Kind != oci.KindRegistry && ref.Kind != oci.KindDaemon {
			require.NotEmpty(t, ref.Path)
			return
		}
		// Whatever is accepted, go-containerregistry understands in the same way.
		theirs, err := name.ParseReference(strings.TrimPrefix(ref.String(), "docker:"))
		require.NoError(t, err, "%q", s)
		require.Equal(t, ref.Repository, theirs.Context().RepositoryStr())
		if ref.Digest != "" {
			_, err := artifacts.ParseDigest(string(ref.Digest))
			require.NoError(t, err)
		}
	})
}
