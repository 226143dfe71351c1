package pxemodel

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// Fetch downloads a file as iPXE does: one request, blocks in any order, and
// each answered by the number of blocks that are there without a gap.
func (x *IPXE) Fetch(ctx context.Context, server netip.AddrPort, name string) ([]byte, error) {
	c, err := openTFTP(ctx, server)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.request(name, []tftpOption{{"blksize", "1432"}, {"tsize", "0"}}); err != nil {
		return nil, err
	}
	var waits []time.Duration
	for w := ipxeRequestMin; w <= ipxeMax; w *= 2 {
		waits = append(waits, w)
	}
	f := ipxeFile{blksize: 512, size: -1, blocks: map[int][]byte{}, last: -1}
	for {
		kind, body, err := c.receive(ctx, waits)
		if err != nil {
			return nil, err
		}
		switch kind {
		case tftpOACK:
			if err := f.oack(body); err != nil {
				return nil, err
			}
		case tftpData:
			f.data(binary.BigEndian.Uint16(body), body[2:])
		default:
			continue
		}
		if err := c.ack(uint16(f.contiguous)); err != nil {
			return nil, err
		}
		if f.last >= 0 && f.contiguous > f.last {
			return f.join()
		}
	}
}

// ipxeFile is a file on its way. Blocks count from zero.
type ipxeFile struct {
	blksize, size int
	blocks        map[int][]byte
	contiguous    int // blocks without a gap, from the first
	last          int // the short block that ends the file, -1 if not seen
}

// oack takes any options in any order; iPXE is tolerant.
func (f *ipxeFile) oack(body []byte) error {
	opts, err := parseOACK(body)
	if err != nil {
		return err
	}
	if f.blksize, err = number(opts, "blksize", 512); err != nil {
		return fmt.Errorf("blksize: %w", err)
	}
	if f.size, err = number(opts, "tsize", -1); err != nil {
		return fmt.Errorf("tsize: %w", err)
	}
	return nil
}

// data stores a block. Its number has 16 bits; what is missing is taken from
// the place in the file.
func (f *ipxeFile) data(number uint16, b []byte) {
	block := f.contiguous + int(int16(number-1-uint16(f.contiguous)))
	if block < 0 || f.blocks[block] != nil {
		return
	}
	f.blocks[block] = append([]byte{}, b...)
	if len(b) < f.blksize {
		f.last = block
	}
	for f.blocks[f.contiguous] != nil {
		f.contiguous++
	}
}

func (f *ipxeFile) join() ([]byte, error) {
	var data []byte
	for i := range f.contiguous {
		data = append(data, f.blocks[i]...)
	}
	return data, checkSize(data, f.size)
}
