package grub_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/grub"
)

func TestElTorito(t *testing.T) {
	t.Parallel()
	image, err := grub.ElTorito(folder(), "/boot/grub2", []string{"two", "one"})
	require.NoError(t, err)
	assert.Equal(t, bytes.Repeat([]byte{0xcd}, 2048), image[:2048])
	core := image[2560:]
	assert.Equal(t, uint16((len(core)+511)/512), binary.LittleEndian.Uint16(image[2048+0x1fc:]), "sectors of the core")
	plain, packed := unpack(t, core, 600)
	assert.Len(t, core, 600+packed)

	want := "text" + strings.Repeat("\x00", 12) + "data" +
		"mimg\x0c\x00\x00\x00\x60\x00\x00\x00" +
		"\x00\x00\x00\x00\x0c\x00\x00\x00base" +
		"\x00\x00\x00\x00\x14\x00\x00\x00module one\x00\x00" +
		"\x00\x00\x00\x00\x14\x00\x00\x00module two!!" +
		"\x03\x00\x00\x00\x14\x00\x00\x00/boot/grub2\x00"
	want = strings.Replace(want, "\x60\x00\x00\x00", string([]byte{byte(len(want) - 20), 0, 0, 0}), 1)
	assert.Equal(t, want, string(plain))
}

// TestElToritoDigest pins the bytes, those of the compressor included.
func TestElToritoDigest(t *testing.T) {
	t.Parallel()
	text := make([]byte, 60_000)
	random := rand.NewChaCha8([32]byte{1})
	for i := range text { // Words from a small alphabet, so that there are matches.
		text[i] = "abcdefgh"[random.Uint64()%8]
	}
	image, err := grub.ElTorito(with(folder(), map[string]string{"one.mod": string(text)}), "/boot/grub2", []string{"two"})
	require.NoError(t, err)
	require.NoError(t, grub.Place(image, 51))
	golden.Check(t, "eltorito.sha256", fmt.Appendf(nil, "%x\n", sha256.Sum256(image)))
}

func TestPlace(t *testing.T) {
	t.Parallel()
	image, err := grub.ElTorito(folder(), "/boot/grub2", []string{"two"})
	require.NoError(t, err)
	before := bytes.Clone(image)
	require.NoError(t, grub.Place(image, 0x01020304))
	le := binary.LittleEndian
	assert.Equal(t, uint32(16), le.Uint32(image[8:]))
	assert.Equal(t, uint32(0x01020304), le.Uint32(image[12:]))
	assert.Equal(t, uint32(len(image)), le.Uint32(image[16:]))
	assert.Equal(t, uint64(0x01020304)*4+5, le.Uint64(image[2548:]))
	var sum uint32
	for i, b := range image[64:] {
		sum += uint32(b) << (8 * (i % 4))
	}
	assert.Equal(t, sum, le.Uint32(image[20:]))
	clear(image[8:24])
	copy(image[8:24], before[8:24])
	copy(image[2548:2556], before[2548:2556])
	assert.Equal(t, before, image, "nothing else changes")
}

func TestPlaceRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 2048, 2559, 2560, 100_000} {
		other := make([]byte, size)
		require.ErrorContains(t, grub.Place(other, 20), "no El Torito image")
		assert.Equal(t, make([]byte, size), other)
	}
}

func TestHybridMBR(t *testing.T) {
	t.Parallel()
	code, err := grub.HybridMBR(folder(), 0xffffffff)
	require.NoError(t, err)
	want := bytes.Repeat([]byte{0xb1}, 440)
	binary.LittleEndian.PutUint64(want[0x1b0:], 0xffffffff*4+4)
	assert.Equal(t, want, code)
}

func TestDisk(t *testing.T) {
	t.Parallel()
	core, err := grub.DiskCore(folder(), "(,gpt3)/grub2", []string{"one"}, 1<<40)
	require.NoError(t, err)
	assert.Zero(t, len(core)%512)
	assert.Equal(t, uint64(1<<40+1), binary.LittleEndian.Uint64(core[0x1f4:]))
	assert.Equal(t, len(core)/512-1, int(binary.LittleEndian.Uint16(core[0x1fc:])))
	plain, _ := unpack(t, core[512:], 600)
	assert.True(t, bytes.HasSuffix(plain, []byte("(,gpt3)/grub2\x00\x00\x00")), "%q", plain)

	code, err := grub.DiskMBR(folder(), 1<<40)
	require.NoError(t, err)
	want := bytes.Repeat([]byte{0xb0}, 440)
	binary.LittleEndian.PutUint64(want[0x5c:], 1<<40)
	want[0x66], want[0x67] = 0x90, 0x90
	assert.Equal(t, want, code)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 500_000)
	random := rand.NewChaCha8([32]byte{2})
	_, _ = random.Read(noise)
	for _, test := range []struct {
		name   string
		files  map[string]string
		prefix string
		want   string
	}{
		{"module missing", map[string]string{"base.mod": ""}, "/", "folder i386-pc: open base.mod"},
		{"kernel missing", map[string]string{"kernel.img": ""}, "/", "folder i386-pc: open kernel.img"},
		{"no program", map[string]string{"kernel.img": "\x7fELF"}, "/", "kernel.img: "},
		{"kernel elsewhere", map[string]string{"kernel.img": string(program(0x8000, []byte("a"), 0x9000, []byte("b"), 0))}, "/", "section .text: 1 bytes at 0x8000"},
		{"entry elsewhere", map[string]string{"kernel.img": string(program(0x9004, []byte("a"), 0x9010, []byte("b"), 0))}, "/", "starts at 0x9004"},
		{"kernel too big", map[string]string{"kernel.img": string(program(0x9000, []byte("a"), 0x9010, []byte("b"), 0x70000))}, "/", "section .bss"},
		{"core too big", map[string]string{"one.mod": string(noise)}, "/", "bytes: at most 454656 fit below 0x78000"},
		{"module too big", map[string]string{"one.mod": string(make([]byte, 1<<20+1))}, "/", "one.mod: has more than 1048576 bytes"},
		{"decompressor too big", map[string]string{"lzma_decompress.img": string(noise[:3585])}, "/", "lzma_decompress.img: has 3585 bytes"},
		{"decompressor too small", map[string]string{"lzma_decompress.img": "x"}, "/", "lzma_decompress.img: has 1 bytes"},
		{"diskboot of another GRUB", map[string]string{"diskboot.img": string(noise[:512])}, "/", "diskboot.img: loads to segment"},
		{"cdboot of another GRUB", map[string]string{"cdboot.img": "x"}, "/", "cdboot.img: has 1 bytes, not 2048"},
		{"list", map[string]string{"moddep.lst": "one base\n"}, "/", `moddep.lst: line "one base\n" has no colon`},
		{"path as a name", map[string]string{"moddep.lst": "one: ../base\n"}, "/", `module "../base": no name`},
		{"prefix", nil, strings.Repeat("/a", 128), "longer than 255 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := grub.ElTorito(with(folder(), test.files), test.prefix, []string{"one"})
			require.ErrorContains(t, err, test.want)
			assert.True(t, strings.HasPrefix(err.Error(), "grub: "), err)
		})
	}
	_, err := grub.DiskMBR(with(folder(), map[string]string{"boot.img": ""}), 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = grub.HybridMBR(with(folder(), map[string]string{"boot_hybrid.img": ""}), 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestModulesInCircles(t *testing.T) {
	t.Parallel()
	tree := with(folder(), map[string]string{"moddep.lst": "one: two\ntwo: one\n"})
	image, err := grub.ElTorito(tree, "/", []string{"one"})
	require.NoError(t, err)
	plain, _ := unpack(t, image[2560:], 600)
	assert.Equal(t, 1, bytes.Count(plain, []byte("module one")))
}

func FuzzElTorito(f *testing.F) {
	tree := folder()
	f.Add(tree["kernel.img"].Data, tree["moddep.lst"].Data)
	f.Fuzz(func(t *testing.T, kernel, list []byte) {
		image, err := grub.ElTorito(with(tree, map[string]string{"kernel.img": string(kernel), "moddep.lst": string(list)}), "/", []string{"two"})
		if err != nil {
			return
		}
		plain, _ := unpack(t, image[2560:], 600)
		assert.LessOrEqual(t, len(plain), 2<<20)
		require.NoError(t, grub.Place(image, 1))
	})
}

// TestISOModules has all that menus of Kairos's own images can use: who replaces
// the menu of an ISO begins with one of those.
func TestISOModules(t *testing.T) {
	t.Parallel()
	kairos := "ext2 iso9660 linux echo configfile search search_label search_fs_file search_fs_uuid ls normal gzio gettext font" +
		" gfxterm gfxmenu all_video test true loadenv part_gpt part_msdos biosdisk vga vbe chain boot"
	assert.Subset(t, grub.ISOModules(), strings.Fields(kairos))
	assert.Subset(t, grub.DiskModules(), grub.ISOModules())
}
