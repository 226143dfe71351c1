package boottree_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/boottree"
)

func TestReadRelease(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		files             map[string]string
		name, arch, title string
	}{
		"Kairos core": {
			files: map[string]string{
				"etc/kairos-release": "VERSION=0\nKAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR=\"opensuse\"\nKAIROS_FLAVOR_RELEASE=\"tumbleweed\"\nKAIROS_MODEL=\"generic\"\nKAIROS_VARIANT=\"core\"\nKAIROS_VERSION=\"v3.0.4\"\n",
				"etc/os-release":     "PRETTY_NAME=\"openSUSE Tumbleweed\"\nVERSION=\"20240712\"\n",
			},
			name: "opensuse-tumbleweed-core-amd64-generic-v3.0.4", arch: "amd64", title: "openSUSE Tumbleweed",
		},
		"Kairos standard": {
			files: map[string]string{
				"etc/kairos-release": "KAIROS_TARGETARCH=arm64\nKAIROS_FLAVOR=ubuntu\nKAIROS_FLAVOR_RELEASE='24.04'\nKAIROS_MODEL=rpi4\nKAIROS_VARIANT=standard\nKAIROS_VERSION=v3.3.1\nKAIROS_SOFTWARE_VERSION=v1.32.1+k3s1\nKAIROS_SOFTWARE_VERSION_PREFIX=k3s\n",
			},
			name: "ubuntu-24.04-standard-arm64-rpi4-v3.3.1-k3sv1.32.1+k3s1", arch: "arm64",
		},
		"Kairos with keys that have no prefix, and some in os-release": {
			files: map[string]string{
				"etc/kairos-release": "FLAVOR=debian\nVARIANT=core\nMODEL=generic\nVERSION=v1\n",
				"etc/os-release":     "KAIROS_FLAVOR_RELEASE=bookworm\nKAIROS_ARCH=x86_64\n",
			},
			name: "debian-bookworm-core-x86_64-generic-v1", arch: "amd64",
		},
		"Kairos of old, without kairos-release": {
			files: map[string]string{
				"etc/os-release": "ID=debian\nKAIROS_FLAVOR=fedora\nKAIROS_IMAGE_LABEL=38-core-amd64-generic-v2.4.1\n",
			},
			name: "fedora-38-core-amd64-generic-v2.4.1",
		},
		"Debian": {
			files: map[string]string{
				"etc/os-release":     "-> ../usr/lib/os-release",
				"usr/lib/os-release": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
			},
			name: "debian-12", title: "Debian GNU/Linux 12 (bookworm)",
		},
		"only in /usr/lib, as systemd reads it too": {
			files: map[string]string{"usr/lib/os-release": "ID=arch\n"},
			name:  "arch",
		},
		"an absolute link": {
			files: map[string]string{"etc/os-release": "-> /usr/lib/os-release", "usr/lib/os-release": "ID=alpine\nVERSION_ID=3.20.1\n"},
			name:  "alpine-3.20.1",
		},
		"a name that would lead elsewhere": {
			files: map[string]string{"etc/os-release": "ID=../../etc\nVERSION_ID='a b/ü'\n"},
			name:  "_.._etc-a_b__",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tree := fstest.MapFS{}
			for name, text := range c.files {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
				if target, ok := strings.CutPrefix(text, "-> "); ok {
					tree[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
				}
			}
			got, err := boottree.ReadRelease(tree)
			require.NoError(t, err)
			assert.Equal(t, c.name, got.Name)
			assert.Equal(t, c.arch, got.Arch)
			assert.Equal(t, c.title, got.Title)
		})
	}
}

func TestReadReleaseWhenThereIsNone(t *testing.T) {
	t.Parallel()

	// The host has one where this link leads.
	tree := fstest.MapFS{"etc/os-release": {Data: []byte("../../../../../../../usr/lib/os-release"), Mode: fs.ModeSymlink}}
	_, err := boottree.ReadRelease(tree)
	assert.EqualError(t, err, "none of /etc/kairos-release, /etc/os-release and /usr/lib/os-release: file does not exist")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestParseValues(t *testing.T) {
	t.Parallel()

	got, err := boottree.ParseValues(strings.NewReader(`
# comment
PLAIN=a.b-c # behind it
export EXPORTED=yes
DOUBLE="a \"b\" \$c \\ \n 'd'"
SINGLE='a "b" \n'
MIXED=a"b c"'d e'\ f
EMPTY=
no assignment
BAD KEY=x
SPACES  =  "x"
LAST=1
LAST=2`))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"PLAIN": "a.b-c", "EXPORTED": "yes", "DOUBLE": `a "b" $c \ \n 'd'`, "SINGLE": `a "b" \n`,
		"MIXED": "ab cd e f", "EMPTY": "", "SPACES": "x", "LAST": "2",
	}, got)
}

func FuzzParseValues(f *testing.F) {
	f.Add("A=1\nB=\"x\\\"y\"\nexport C='z'")
	f.Add("ID=../..\nVERSION_ID=\\")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := boottree.ParseValues(strings.NewReader(text))
		if err != nil {
			return
		}
		for key := range values {
			assert.NotContains(t, key, "=")
		}
		r, err := boottree.ReadRelease(fstest.MapFS{"etc/kairos-release": {Data: []byte(text)}})
		require.NoError(t, err)
		assert.Equal(t, r.Name, path.Base("x/" + r.Name + "x")[:len(r.Name)], "a name is one element of a path")
	})
}
