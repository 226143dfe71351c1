package diskimage

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zlib"
)

// A grainPacker packs the grains of a job, each by itself, with its marker in
// front and up to a whole sector.
type grainPacker struct {
	z   *zlib.Writer
	out sliceWriter
}

func newGrainPackers(count int) ([]packer, error) {
	packers := make([]packer, count)
	for i := range packers {
		z, err := zlib.NewWriterLevel(io.Discard, deflateLevel)
		if err != nil {
			return nil, err
		}
		packers[i] = &grainPacker{z: z}
	}
	return packers, nil
}

func (g *grainPacker) pack(j *job) error {
	for at := 0; at < len(j.plain); at += vmdkGrain {
		grain := j.plain[at : at+vmdkGrain]
		if allZero(grain) {
			continue
		}
		off := j.off + int64(at)
		j.parts = append(j.parts, part{off / vmdkGrain, len(j.packed)})
		if err := g.grain(j, grain, off/sectorSize); err != nil {
			return err
		}
	}
	return nil
}

// grain packs the grain that begins at a sector of the disk.
func (g *grainPacker) grain(j *job, plain []byte, sector int64) error {
	const markerSize = 12
	start := len(j.packed)
	g.out.b = binary.LittleEndian.AppendUint64(j.packed, uint64(sector))
	g.out.b = binary.LittleEndian.AppendUint32(g.out.b, 0) // The size is not known yet.
	g.z.Reset(&g.out)
	if _, err := g.z.Write(plain); err != nil {
		return err
	}
	if err := g.z.Close(); err != nil {
		return err
	}
	size := len(g.out.b) - start - markerSize
	binary.LittleEndian.PutUint32(g.out.b[start+8:], uint32(size))
	gap := -len(g.out.b) & (sectorSize - 1) // Jobs begin and end at whole sectors.
	j.packed = append(g.out.b, make([]byte, gap)...)
	return nil
}
