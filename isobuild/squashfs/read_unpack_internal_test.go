package squashfs

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// unpackers returns those that are not mere calls of a library.
func unpackers() map[string]unpacker {
	return map[string]unpacker{"lz4": lz4Unpacker{}, "xz": &xzUnpacker{}, "gzip": &zlibUnpacker{}}
}

// guard is what is behind the room for unpacked data.
const guard = 0xa5

// unpackGuarded unpacks to at most size bytes, and checks that nothing behind
// them changed.
func unpackGuarded(t *testing.T, u unpacker, src []byte, size int) ([]byte, error) {
	t.Helper()
	buf := bytes.Repeat([]byte{guard}, size+64)
	n, err := u.unpack(buf[:size], src)
	require.Equal(t, bytes.Repeat([]byte{guard}, 64), buf[size:])
	require.LessOrEqual(t, n, size)
	return buf[:n], err
}

func TestLZ4Unpack(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("\xff", 3) + "\x05"
	for name, c := range map[string]struct {
		packed, want string
		err          error
	}{
		"literals":          {"\x30abc", "abc", nil},
		"nothing":           {"\x00", "", nil},
		"a match":           {"\x30abc\x03\x00\x10d", "abcabcad", nil},
		"one byte again":    {"\x16a\x01\x00\x10b", "a" + strings.Repeat("a", 10) + "b", nil},
		"a long match":      {"\x1fa\x01\x00" + long + "\x10b", "a" + strings.Repeat("a", 15+3*255+5+4) + "b", nil},
		"many literals":     {"\xf0\x05" + strings.Repeat("x", 20), strings.Repeat("x", 20), nil},
		"no data":           {"", "", errCorrupt},
		"literals missing":  {"\x30ab", "", errCorrupt},
		"length missing":    {"\xf0\xff", "", errCorrupt},
		"distance missing":  {"\x10a\x01", "", errCorrupt},
		"match length ends": {"\x1fa\x01\x00\xff", "", errCorrupt},
		"distance zero":     {"\x10a\x00\x00\x10b", "", errCorrupt},
		"before the start":  {"\x10a\x02\x00\x10b", "", errCorrupt},
		"end after a match": {"\x10a\x01\x00", "", errCorrupt},
		"too many literals": {"\xf0\xff\xff\xff\xff\x00" + strings.Repeat("x", 1035), "", errTooLong},
		"a match too long":  {"\x1fa\x01\x00\xff\xff\xff\xff\x00\x10b", "", errTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := unpackGuarded(t, lz4Unpacker{}, []byte(c.packed), 1024)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

// machine returns data full of what filters take for jumps.
func machine(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	opcodes := []byte{0xe8, 0xe9, 0xeb, 0xf0, 0xf8, 0xf9, 0x48, 0x4b, 0x40, 0x7f, 0x94, 0x97, 0x90, 0xb0, 0xd0, 0xf0, 0, 0, 0, 0xff, 0xff, 1, 0x3f}
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte(r.Uint32()); r.IntN(3) > 0 {
			b[i] = opcodes[r.IntN(len(opcodes))]
		}
	}
	return b
}

// TestXZUnpackForXZ unpacks what the program xz packed.
func TestXZUnpackForXZ(t *testing.T) {
	t.Parallel()
	program := oracle.Need(t, "xz")

	data := machine(300_000)
	for _, args := range []string{
		"-0", "-9e", "--check=crc64", "--check=none", "--lzma2=lc=0,lp=4,pb=4", "--lzma2=lc=4,pb=0", "--lzma2=mode=fast,nice=5",
		"--block-size=50000", "--x86 --lzma2", "--arm --lzma2", "--armthumb --lzma2", "--arm64 --lzma2", "--powerpc --lzma2",
		"--sparc --lzma2", "--x86 --armthumb --powerpc --lzma2",
	} {
		for _, n := range []int{0, 1, 5, 8, len(data)} {
			t.Run(fmt.Sprint(args, n), func(t *testing.T) {
				t.Parallel()
				args := append([]string{"--format=xz", "-c"}, strings.Fields(args)...)
				if !strings.Contains(strings.Join(args, ""), "check") {
					args = append(args, "--check=crc32")
				}
				cmd := exec.CommandContext(t.Context(), program, args...)
				cmd.Stdin = bytes.NewReader(data[:n])
				packed, err := cmd.Output()
				require.NoError(t, err)
				got, err := unpackGuarded(t, &xzUnpacker{}, packed, n)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data[:n], got))
				if n > 0 {
					_, err = unpackGuarded(t, &xzUnpacker{}, packed, n-1)
					require.ErrorIs(t, err, errTooLong)
				}
			})
		}
	}
}

func TestXZUnpackRefuses(t *testing.T) {
	t.Parallel()

	good := packXZ(t, []byte("some text, and some text"))
	got, err := unpackGuarded(t, &xzUnpacker{}, good, 100)
	require.NoError(t, err)
	require.Equal(t, "some text, and some text", string(got))
	for i := range good {
		if i >= len(good)-20 { // The index, which is not read, and more.
			break
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1
		_, err := unpackGuarded(t, &xzUnpacker{}, bad, 100)
		require.Error(t, err, "byte %d", i)
		_, err = unpackGuarded(t, &xzUnpacker{}, good[:i], 100)
		require.Error(t, err, "%d bytes", i)
	}
}

// packXZ packs data.
func packXZ(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var packed bytes.Buffer
	w, err := xz.WriterConfig{CheckSum: xz.CRC32}.NewWriter(&packed)
	require.NoError(tb, err)
	_, err = w.Write(data)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return packed.Bytes()
}

// FuzzUnpack unpacks any bytes in all ways: nothing outside the room is
// changed, and what a library makes of XZ streams is the same.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\x1fa\x01\x00\xff\xff\x03\x10b"))
	f.Add(packXZ(f, []byte("some text, and some text")))
	f.Add(packXZ(f, machine(3000)))
	f.Fuzz(func(t *testing.T, packed []byte) {
		const size = 16 << 10
		for name, u := range unpackers() {
			got, err := unpackGuarded(t, u, packed, size)
			if err != nil || name != "xz" {
				continue
			}
			r, err := xz.ReaderConfig{DictCap: 1 << 20, SingleStream: true}.NewReader(bytes.NewReader(packed))
			if err != nil {
				continue
			}
			if want, err := io.ReadAll(io.LimitReader(r, size+1)); err == nil {
				assert.True(t, bytes.Equal(want, got))
			}
		}
	})
}

// FuzzLZMA unpacks any bytes as LZMA2, without the checksums that keep a
// fuzzer from getting there.
func FuzzLZMA(f *testing.F) {
	packed := packXZ(f, machine(3000))
	f.Add(packed[24:])
	f.Add([]byte("\x01\x00\x00a\x00"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		const size = 16 << 10
		buf := bytes.Repeat([]byte{guard}, size+64)
		n, used, err := (&lzmaDecoder{}).lzma2(buf[:size], packed)
		require.Equal(t, bytes.Repeat([]byte{guard}, 64), buf[size:])
		if err == nil {
			assert.LessOrEqual(t, n, size)
			assert.LessOrEqual(t, used, len(packed))
		}
	})
}
