package artifacts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/netbootkit/netbootkit/internal/meter"
)

const chunk = 256 << 10 // bytes read at once

var errIdle = errors.New("artifacts: source sent nothing for too long")

// A fetch is one file on its way from a source.
type fetch struct {
	s      *Store
	src    Source
	name   string // as it may be shown
	info   Info   // what is wanted
	claims []claim
	part   *partial
	sum    *hashes
	meter  *meter.Writer

	version Info  // what the bytes in part are of
	off     int64 // how many there are
	best    int64 // how many there were at most
	pieces  bool  // they did not come in one piece
}

// obtain returns the file that all claims are true of, from the store or
// from src, and has note remember it.
func (s *Store) obtain(ctx context.Context, src Source, name string, info Info, claims []claim, note func(Info) error) (*File, error) {
	found := false
	f, err := s.produce(ctx, product{
		key: partialKey(src, name, claims),
		hit: func() *File {
			f := s.have(src, name, info, claims)
			found = f != nil
			return f
		},
		fill: func(p *partial) (Info, error) {
			job := &fetch{s: s, src: src, name: label(name), info: info, claims: claims, part: p}
			return job.run(ctx)
		},
		note: note,
	})
	if err != nil || !found {
		return f, err
	}
	err = s.verify(ctx, src, f.info, f)
	if err == nil {
		err = note(f.info)
	}
	if err != nil {
		f.drop()
		return nil, err
	}
	return f, nil
}

// have returns the file if it is stored already.
func (s *Store) have(src Source, name string, info Info, claims []claim) *File {
	if len(claims) == 0 {
		old := s.recall(src.ID(), name)
		if old != nil && !old.is(answer{info: info}) {
			old = old.forget()
		}
		return old.orNil()
	}
	var same *File
	for _, c := range claims {
		f, err := s.lookup(c.digest)
		different := err == nil && same != nil && f.info.Digest != same.info.Digest
		same.drop()
		if different {
			f.drop()
		}
		if err != nil || different {
			return nil
		}
		same = f
	}
	same.info.Name, same.info.ETag, same.info.ModTime = info.Name, info.ETag, info.ModTime
	return same
}

// partialKey returns what the partial file is called: by its content, if that
// is known, so that every source can go on with it.
func partialKey(src Source, name string, claims []claim) string {
	for _, c := range claims {
		if c.digest.Algorithm() == SHA256 {
			return c.digest.Hex()
		}
	}
	if src.ID() == "" {
		return rand.Text()
	}
	return keyOf(src.ID(), name)
}

// run fetches, checks and verifies.
func (j *fetch) run(ctx context.Context) (Info, error) {
	if j.info.Size > j.s.cfg.maxSize {
		return Info{}, j.sizeError(-1, j.info.Size)
	}
	err := j.resume(ctx)
	if err == nil {
		err = j.receive(ctx)
	}
	if err != nil && errors.As(err, new(*DigestError)) && j.pieces {
		// What an earlier process left, or a file that changed meanwhile.
		if err = j.restart(Info{Size: j.info.Size}); err == nil {
			err = j.receive(ctx)
		}
	}
	info := Info{
		Name: j.info.Name, Size: j.off, Digest: j.sum.digest(SHA256),
		ETag: j.version.ETag, ModTime: j.version.ModTime,
	}
	if err == nil {
		err = j.s.verify(ctx, j.src, info, j.part.file)
	}
	if err == nil {
		err = j.alias(info)
	}
	if err != nil {
		j.part.useful = j.off > 0 && j.resumable(j.version) && (ctx.Err() != nil || temporary(err))
		return Info{}, err
	}
	j.measure()
	j.meter.Finish()
	return info, nil
}

// receive fetches what is missing, and checks all.
func (j *fetch) receive(ctx context.Context) error {
	j.best = j.off
	if err := j.s.retry(ctx, j.name, j.attempt); err != nil {
		return err
	}
	for _, c := range j.claims {
		if got := j.sum.digest(c.digest.Algorithm()); got != c.digest {
			return &DigestError{Name: j.name, Want: c.digest, Got: got, From: c.from}
		}
	}
	return nil
}

// alias remembers the content under the other digests that were claimed.
func (j *fetch) alias(info Info) error {
	for _, c := range j.claims {
		if c.digest.Algorithm() != SHA256 {
			err := j.s.remember(aliasID, string(c.digest), entry{Digest: info.Digest, Size: info.Size, Checked: true})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// resume takes up what an earlier process left, if that is of use.
func (j *fetch) resume(ctx context.Context) error {
	j.sum = newHashes(j.claims)
	j.version = Info{Name: j.info.Name, Size: -1}
	state, ok := j.part.state()
	size := j.part.size()
	version := Info{Name: j.info.Name, Size: state.Size, ETag: state.ETag, ModTime: state.ModTime}
	if state.Source != j.src.ID() {
		version = j.version // Its tags mean nothing here.
	}
	usable := ok && size > 0 && j.resumable(version) && (len(j.claims) > 0 || sameVersion(version, j.info))
	if !usable || j.info.Size >= 0 && size > j.info.Size {
		return j.restart(Info{Size: j.info.Size})
	}
	j.version, j.pieces = version, true
	return j.rehash(ctx)
}

// rehash reads what is there.
func (j *fetch) rehash(ctx context.Context) error {
	j.measure()
	buf := make([]byte, chunk)
	for {
		n, err := j.part.file.Read(buf)
		j.count(buf[:n])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return j.s.disk(err)
		}
	}
}

// resumable says whether bytes of version can be told from those of another.
func (j *fetch) resumable(version Info) bool {
	_, ok := j.src.(Resumer)
	return ok && (len(j.claims) > 0 || strong(version.ETag) || !version.ModTime.IsZero())
}

// restart drops what is there, to fetch the version of info.
func (j *fetch) restart(info Info) error {
	j.off, j.pieces, j.meter = 0, false, nil
	j.sum = newHashes(j.claims)
	j.version = Info{Name: j.info.Name, Size: info.Size, ETag: info.ETag, ModTime: info.ModTime}
	return j.part.restart(j.version, j.src.ID())
}

// attempt asks for the bytes that are missing, and says whether there are
// more of them than ever before.
func (j *fetch) attempt(ctx context.Context) (progress bool, err error) {
	if len(j.claims) > 0 && j.off == j.total() {
		return false, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(j.s.cfg.idle, func() { cancel(errIdle) })
	defer watchdog.Stop()
	body, err := j.open(ctx)
	if err == nil {
		defer body.Close()
		err = j.begin(body)
	}
	if err == nil {
		err = j.copy(body, func() { watchdog.Reset(j.s.cfg.idle) })
	}
	if err != nil && errors.Is(context.Cause(ctx), errIdle) {
		err = &readError{got: j.off, want: j.total(), err: fmt.Errorf("nothing came for %v", j.s.cfg.idle)}
	}
	progress = j.off > j.best
	j.best = max(j.best, j.off)
	return progress, err
}

// open asks the source for the rest of the file, or for all of it.
func (j *fetch) open(ctx context.Context) (*Body, error) {
	if r, ok := j.src.(Resumer); ok {
		off := j.off
		if !j.resumable(j.version) {
			off = 0
		}
		return r.OpenAt(ctx, j.version, off)
	}
	r, err := j.src.Open(ctx, j.info.Name)
	return &Body{ReadCloser: r, Info: j.info}, err
}

// begin compares what the source is about to send with what is wanted.
func (j *fetch) begin(b *Body) error {
	switch got := b.Info.Size; {
	case got > j.s.cfg.maxSize:
		return j.sizeError(-1, got)
	case got >= 0 && j.info.Size >= 0 && got != j.info.Size:
		return j.sizeError(j.info.Size, got)
	case b.Start != 0 && b.Start != j.off:
		return fmt.Errorf("source sent what is at %d, asked for what is at %d", b.Start, j.off)
	}
	if b.Start == 0 {
		if err := j.restart(b.Info); err != nil {
			return err
		}
	} else {
		j.pieces = true
	}
	j.version.Size = max(j.version.Size, b.Info.Size)
	j.measure()
	return nil
}

// copy receives the body; touch is called at each sign of life.
func (j *fetch) copy(body io.Reader, touch func()) error {
	buf := make([]byte, chunk)
	for {
		n, err := body.Read(buf)
		touch()
		if end := j.off + int64(n); end > j.s.cfg.maxSize {
			return j.sizeError(-1, end)
		} else if j.total() >= 0 && end > j.total() {
			return j.sizeError(j.total(), end)
		}
		if _, err := j.part.file.Write(buf[:n]); err != nil {
			return j.s.disk(err)
		}
		j.count(buf[:n])
		switch {
		case errors.Is(err, io.EOF) && j.off >= j.total():
			return nil
		case errors.Is(err, io.EOF):
			return &readError{got: j.off, want: j.total(), err: io.ErrUnexpectedEOF}
		case err != nil:
			return &readError{got: j.off, want: j.total(), err: clean(err)}
		}
	}
}

// count notes bytes that are in the file.
func (j *fetch) count(p []byte) {
	j.off += int64(len(p))
	_, _ = j.sum.Write(p)   // Never fails.
	_, _ = j.meter.Write(p) // Never fails.
}

// measure starts to report progress, once.
func (j *fetch) measure() {
	if j.meter == nil {
		j.meter = meter.NewWriter(io.Discard, j.name, j.total(), j.s.cfg.progress)
	}
}

// total returns the size of the whole file, or −1.
func (j *fetch) total() int64 {
	if j.info.Size >= 0 {
		return j.info.Size
	}
	return j.version.Size
}

func (j *fetch) sizeError(want, got int64) error {
	return &SizeError{Name: j.name, Want: want, Got: got, Limit: j.s.cfg.maxSize}
}
