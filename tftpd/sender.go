package tftpd

import (
	"errors"
	"time"
)

// A sender sends a file under options: in blocks of any size, in windows of one
// block or more (RFC 7440). It goes back to the first block that was lost.
type sender struct {
	link   *link
	file   *readAhead
	packet []byte // header and one block
	window int64
	last   int64 // the number of the last block, which is not full

	base   int64     // the first block not acknowledged
	next   int64     // the next block to send
	fresh  int64     // the first block never sent, or sent once only
	flight time.Time // when the blocks on their way began to be sent
}

func newSender(l *link, file *readAhead, t terms, packet []byte) *sender {
	return &sender{
		link:   l,
		file:   file,
		packet: packet[:headerSize+t.blockSize],
		window: int64(t.window),
		last:   file.size/int64(t.blockSize) + 1,
		base:   1,
		next:   1,
		fresh:  1,
	}
}

// run sends the whole file and returns once the last block is acknowledged.
func (s *sender) run() error {
	for s.base <= s.last {
		if err := s.sendWindow(); err != nil {
			return err
		}
		block, err := s.link.ack()
		switch {
		case err == nil:
			s.acknowledged(block)
		case errors.Is(err, errSilence):
			if err := s.link.retry(); err != nil {
				return err
			}
			s.goBack()
		default:
			return err
		}
	}
	return nil
}

// bytes returns how much of the file is acknowledged.
func (s *sender) bytes() int64 {
	return min((s.base-1)*int64(len(s.packet)-headerSize), s.file.size)
}

// sendWindow sends what the window has room for.
func (s *sender) sendWindow() error {
	if s.next > s.last || s.next >= s.base+s.window {
		return nil
	}
	s.flight = time.Now()
	for ; s.next <= s.last && s.next < s.base+s.window; s.next++ {
		if err := s.sendBlock(s.next); err != nil {
			return err
		}
	}
	s.link.arm()
	return nil
}

func (s *sender) sendBlock(block int64) error {
	size := int64(len(s.packet) - headerSize)
	off := (block - 1) * size
	data := s.packet[headerSize:][:min(size, s.file.size-off)]
	if len(data) > 0 {
		if _, err := s.file.ReadAt(data, off); err != nil {
			return err
		}
	}
	putDataHeader(s.packet, uint16(block)) // Rolls over to 0 after 65535.
	return s.link.send(s.packet[:headerSize+len(data)])
}

// acknowledged moves the window behind block. An acknowledgement from within
// the window says that the blocks after it were lost (RFC 7440 §4), unless it
// came too soon to be about the blocks now on their way. To go back for such a
// one would make a duplicate of each later packet.
func (s *sender) acknowledged(number uint16) {
	ahead := int64(number - uint16(s.base-1)) // How far it is ahead of the last one.
	if ahead > s.next-s.base {
		return // Old, or of a block that was not sent.
	}
	block := s.base - 1 + ahead
	if ahead > 0 {
		s.base = block + 1
		s.link.progress(block >= s.fresh && block == s.next-1)
	}
	if block < s.next-1 && s.window > 1 && time.Since(s.flight) >= s.link.minRTT*3/4 {
		s.link.repeated++
		s.goBack()
	}
}

// goBack sends everything that is not acknowledged again.
func (s *sender) goBack() {
	s.fresh = max(s.fresh, s.next)
	s.next = s.base
}
