package diskimage

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// deflateLevel is a level at which compressing keeps up with most disks.
const deflateLevel = 6

// A deflater packs jobs as parts of one deflate stream (RFC 1951) that end at a
// whole byte and look back at nothing before them.
type deflater struct {
	z   *flate.Writer
	out sliceWriter
}

func newDeflaters(count int) ([]packer, error) {
	packers := make([]packer, count)
	for i := range packers {
		z, err := flate.NewWriter(io.Discard, deflateLevel)
		if err != nil {
			return nil, err
		}
		packers[i] = &deflater{z: z}
	}
	return packers, nil
}

func (d *deflater) pack(j *job) error {
	d.out.b = j.packed
	d.z.Reset(&d.out)
	_, err := d.z.Write(j.plain)
	if err == nil {
		err = d.z.Flush()
	}
	j.packed = d.out.b
	return err
}

// A gzipWriter writes one gzip member (RFC 1952) of parts that are packed
// already.
type gzipWriter struct {
	w       io.Writer
	written int64
	sum     uint32 // CRC-32 of what is packed
	size    uint32 // of that in bytes, modulo 2^32
}

func newGzip(w io.Writer) *gzipWriter { return &gzipWriter{w: w} }

// begin writes the header: deflate, no name, no time, no system.
func (g *gzipWriter) begin() error {
	return g.write([]byte{0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF})
}

// add writes the next part.
func (g *gzipWriter) add(plain, packed []byte) error {
	g.sum = crc32.Update(g.sum, crc32.IEEETable, plain)
	g.size += uint32(len(plain))
	return g.write(packed)
}

// end writes an empty last block and the trailer.
func (g *gzipWriter) end() error {
	b := binary.LittleEndian.AppendUint32([]byte{3, 0}, g.sum)
	return g.write(binary.LittleEndian.AppendUint32(b, g.size))
}

func (g *gzipWriter) write(p []byte) error {
	n, err := g.w.Write(p)
	g.written += int64(n)
	return mosaic.Whole(n, p, err)
}
