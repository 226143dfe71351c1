package squashfs

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A packer packs blocks, one after the other. What it makes of a block depends
// on nothing else.
type packer interface {
	// pack appends src, packed, to dst.
	pack(dst, src []byte) ([]byte, error)
}

// newPackers returns a packer for each worker.
func (c *config) newPackers() ([]packer, error) {
	packers := make([]packer, c.workers)
	for i := range packers {
		var err error
		if packers[i], err = c.newPacker(); err != nil {
			return nil, err
		}
	}
	return packers, nil
}

// newPacker returns a packer for blocks of up to blockSize bytes.
func (c *config) newPacker() (packer, error) {
	switch c.compression {
	case Gzip:
		z, err := zlib.NewWriterLevel(io.Discard, c.level)
		return &zlibPacker{z: z}, err
	case XZ:
		return xzPacker{c.blockSize}, nil
	case Zstd:
		// The kernel refuses frames that look back further than a block.
		z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(c.level)),
			zstd.WithWindowSize(c.blockSize), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1))
		return zstdPacker{z}, err
	default:
		return nil, fmt.Errorf("squashfs: cannot write %v", c.compression)
	}
}

// options returns what follows the superblock when the level is not the one
// that mksquashfs takes by default. Readers of the image need none of it.
func (c *config) options() []byte {
	switch {
	case c.compression == Gzip && c.level != 9:
		b := binary.LittleEndian.AppendUint32(nil, uint32(c.level))
		b = binary.LittleEndian.AppendUint16(b, 15) // The window is 32 KiB.
		return binary.LittleEndian.AppendUint16(b, 0)
	case c.compression == Zstd && c.level != 15:
		return binary.LittleEndian.AppendUint32(nil, uint32(c.level))
	default:
		return nil
	}
}

// A zlibPacker packs with zlib.
type zlibPacker struct {
	z   *zlib.Writer
	out sliceWriter
}

func (p *zlibPacker) pack(dst, src []byte) ([]byte, error) {
	p.out.b = dst
	p.z.Reset(&p.out)
	_, err := p.z.Write(src)
	if err == nil {
		err = p.z.Close()
	}
	return p.out.b, err
}

// A zstdPacker packs with Zstandard.
type zstdPacker struct{ z *zstd.Encoder }

func (p zstdPacker) pack(dst, src []byte) ([]byte, error) { return p.z.EncodeAll(src, dst), nil }

// An xzPacker packs with LZMA2 in a container that the kernel reads: with CRC32
// as its check, and a dictionary that is no larger than a block.
type xzPacker struct{ blockSize int }

func (p xzPacker) pack(dst, src []byte) ([]byte, error) {
	dict := minBlockSize
	for dict < len(src) && dict < p.blockSize {
		dict *= 2 // Metadata need less than file data.
	}
	out := &sliceWriter{dst}
	z, err := xz.WriterConfig{DictCap: dict, CheckSum: xz.CRC32}.NewWriter(out)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(src); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.b, err
}

// A sliceWriter appends what is written to it.
type sliceWriter struct{ b []byte }

// Write implements [io.Writer].
func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}
