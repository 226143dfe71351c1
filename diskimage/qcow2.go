package diskimage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

const (
	qcowCluster = 64 << 10 // bytes
	// qcowEntries is how many clusters a table of the second level has.
	qcowEntries = qcowCluster / 8
	// qcowCounts is how many clusters a block of reference counts has.
	qcowCounts = qcowCluster / 2
	// qcowCopied marks clusters with one reference, which may be written in place.
	qcowCopied = 1 << 63
	// maxQCOW2 is the largest disk in bytes: QEMU reads 32 MiB of the table of
	// the first level.
	maxQCOW2 = 32 << 20 / 8 * qcowEntries * qcowCluster
)

// WriteQCOW2 writes disk to w as a QCOW2 image of version 3, without
// compression, and returns its size in bytes. Clusters of zeros are not stored.
// The disk gets whole sectors, at most 2 PiB. W must be new, or hold zeros up to
// where the image ends. The header is written last: what was interrupted is no
// image.
func WriteQCOW2(ctx context.Context, w io.WriterAt, disk File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opQCOW2, opts)
	if err != nil {
		return 0, err
	}
	n, err := cfg.writeQCOW2(ctx, w, disk)
	return n, cfg.wrap(err)
}

func (c *config) writeQCOW2(ctx context.Context, w io.WriterAt, disk File) (int64, error) {
	disk, err := fitted(disk, sectorSize, maxQCOW2)
	if err != nil {
		return 0, err
	}
	q := newQCOW2(w, disk.Size())
	progress := c.newGauge(disk.Size())
	err = q.copy(ctx, disk, progress.reach)
	if err == nil {
		err = q.finish()
	}
	if err == nil {
		progress.finish()
	}
	return q.end, err
}

// A qcow2 is an image that is being written: header and first table, then
// data with tables of the second level, then reference counts.
type qcow2 struct {
	w     io.WriterAt
	size  int64    // of the disk in bytes
	end   int64    // of what was written, in bytes
	first []uint64 // the table of the first level
	table []byte   // the table of the second level that is being filled
	index int64    // of that in first
	used  bool     // table has an entry
}

func newQCOW2(w io.WriterAt, size int64) *qcow2 {
	q := &qcow2{w: w, size: size, table: make([]byte, qcowCluster)}
	q.first = make([]uint64, alignUp(size, qcowEntries*qcowCluster)/(qcowEntries*qcowCluster))
	q.end = qcowCluster + alignUp(int64(len(q.first))*8, qcowCluster)
	return q
}

// copy writes the data of disk.
func (q *qcow2) copy(ctx context.Context, disk File, progress func(int64)) error {
	f := feed{disk: disk, unit: qcowCluster}
	buf := make([]byte, chunkSize)
	for {
		off, n, err := f.next(ctx, buf)
		switch {
		case errors.Is(err, io.EOF):
			return q.flush()
		case err != nil:
			return err
		}
		if err := q.chunk(buf[:n], off); err != nil {
			return err
		}
		progress(off + int64(n))
	}
}

// chunk writes the clusters of p that are not zeros. All are in one table.
func (q *qcow2) chunk(p []byte, off int64) error {
	if index := off / (qcowEntries * qcowCluster); index != q.index {
		if err := q.flush(); err != nil {
			return err
		}
		q.index = index
	}
	for start, end := range dataRuns(p, qcowCluster) {
		number := (off + int64(start)) / qcowCluster % qcowEntries
		for at := int64(0); at < int64(end-start); at += qcowCluster {
			binary.BigEndian.PutUint64(q.table[number*8:], uint64(q.end+at)|qcowCopied)
			number++
		}
		q.used = true
		if err := q.append(p[start:end]); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the table of the second level.
func (q *qcow2) flush() error {
	if !q.used {
		return nil
	}
	q.first[q.index] = uint64(q.end) | qcowCopied
	err := q.append(q.table)
	clear(q.table)
	q.used = false
	return err
}

// append writes whole clusters at the end.
func (q *qcow2) append(p []byte) error {
	err := q.put(p, q.end)
	q.end += int64(len(p))
	return err
}

// put writes p at off.
func (q *qcow2) put(p []byte, off int64) error {
	n, err := q.w.WriteAt(p, off)
	return mosaic.Whole(n, p, err)
}

// finish writes the reference counts, the table of the first level and the header.
func (q *qcow2) finish() error {
	at, clusters, err := q.counts()
	if err != nil {
		return err
	}
	first := make([]byte, 0, len(q.first)*8)
	for _, entry := range q.first {
		first = binary.BigEndian.AppendUint64(first, entry)
	}
	if err := q.put(first, qcowCluster); err != nil {
		return err
	}
	return q.put(q.header(at, clusters), 0)
}

// counts writes blocks of reference counts, which are one for each cluster,
// and the table of these blocks. It returns where that is and how many clusters
// it has. Both count themselves.
func (q *qcow2) counts() (at, clusters int64, err error) {
	total, blocks := int64(0), int64(0)
	for used := q.end / qcowCluster; used+blocks+clusters > total; {
		total = used + blocks + clusters
		blocks = (total + qcowCounts - 1) / qcowCounts
		clusters = alignUp(blocks*8, qcowCluster) / qcowCluster
	}
	table := make([]byte, clusters*qcowCluster)
	block := bytes.Repeat([]byte{0, 1}, qcowCounts)
	for i := range blocks {
		if left := total - i*qcowCounts; left < qcowCounts {
			clear(block[left*2:])
		}
		binary.BigEndian.PutUint64(table[i*8:], uint64(q.end))
		if err := q.append(block); err != nil {
			return 0, 0, err
		}
	}
	at = q.end
	return at, clusters, q.append(table)
}

// header returns the header of version 3.
func (q *qcow2) header(counts, clusters int64) []byte {
	be := binary.BigEndian
	b := []byte("QFI\xfb")
	b = be.AppendUint32(b, 3)
	b = be.AppendUint64(b, 0) // No backing file,
	b = be.AppendUint32(b, 0) // and no name of it.
	b = be.AppendUint32(b, 16)
	b = be.AppendUint64(b, uint64(q.size))
	b = be.AppendUint32(b, 0) // No encryption.
	b = be.AppendUint32(b, uint32(len(q.first)))
	b = be.AppendUint64(b, qcowCluster)
	b = be.AppendUint64(b, uint64(counts))
	b = be.AppendUint32(b, uint32(clusters))
	b = be.AppendUint32(b, 0) // No snapshots,
	b = be.AppendUint64(b, 0) // and no table of them.
	b = be.AppendUint64(b, 0) // No features that a reader must know,
	b = be.AppendUint64(b, 0) // may know,
	b = be.AppendUint64(b, 0) // or has to clear.
	b = be.AppendUint32(b, 4) // Counts of 16 bits.
	b = be.AppendUint32(b, 104)
	return append(b, make([]byte, 8)...) // No extensions.
}
