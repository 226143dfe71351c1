package artifacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// A claim is a digest that a file should have, and who says so.
type claim struct {
	digest Digest
	from   string
}

// claims collects the digests that src knows of a file, and the one in the
// first file of checksums that lists it.
func (s *Store) claims(ctx context.Context, src Source, info Info) ([]claim, error) {
	var claims []claim
	if info.Digest != "" {
		d, err := ParseDigest(string(info.Digest))
		if err != nil {
			return nil, err
		}
		claims = append(claims, claim{d, src.ID()})
	}
	side, ok := src.(SideLister)
	if !ok {
		return claims, nil
	}
	lists, err := side.ChecksumFiles(ctx, info.Name)
	if err != nil {
		return nil, err
	}
	for _, list := range lists {
		d, err := s.listed(ctx, src, list, info.Name)
		switch {
		case err != nil:
			return nil, err
		case d == "":
		case len(claims) == 0:
			return []claim{{d, label(list)}}, nil
		case claims[0].digest == d:
			return claims, nil
		case claims[0].digest.Algorithm() == d.Algorithm():
			return nil, fmt.Errorf("%s contradicts: %w", label(list),
				&DigestError{Name: label(info.Name), Want: claims[0].digest, Got: d, From: claims[0].from})
		default:
			return append(claims, claim{d, label(list)}), nil
		}
	}
	return claims, nil
}

// listed returns the digest of the file called name in a file of checksums,
// or "" if that does not exist or does not list it.
func (s *Store) listed(ctx context.Context, src Source, list, name string) (Digest, error) {
	data, err := s.small(ctx, src, list, false)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return "", nil // Servers that do not list folders say 403 for what is not there.
	case err != nil:
		return "", fmt.Errorf("%s: %w", label(list), err)
	}
	sums, err := ParseChecksums(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("%s: %w", label(list), err)
	}
	find := sums.Digest
	if own, ok := strings.CutPrefix(base(list), base(name)); ok && own != "" {
		find = sums.soleDigest
	}
	d, err := find(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", label(list), err)
	}
	return d, nil
}

// small reads a file beside others, which has at most 4 MiB; without further
// attempts if once is set.
func (s *Store) small(ctx context.Context, src Source, name string, once bool) (data []byte, err error) {
	err = s.brief(ctx, name, once, func(ctx context.Context) error {
		r, err := src.Open(ctx, name)
		if err != nil {
			return err
		}
		defer r.Close()
		data, err = io.ReadAll(io.LimitReader(r, maxChecksums+1))
		switch {
		case err != nil:
			return &readError{got: int64(len(data)), want: -1, err: clean(err)}
		case len(data) > maxChecksums:
			return &SizeError{Name: label(name), Want: -1, Got: int64(len(data)), Limit: maxChecksums}
		default:
			return nil
		}
	})
	return data, err
}

// verify asks each verifier about the content of a file.
func (s *Store) verify(ctx context.Context, src Source, info Info, r io.ReaderAt) error {
	for _, v := range s.cfg.verifiers {
		if err := v.Verify(ctx, beside{Source: src, s: s}, info, io.NewSectionReader(r, 0, info.Size)); err != nil {
			return fmt.Errorf("verify %s: %w", label(info.Name), err)
		}
	}
	return nil
}

// beside is a Source that remembers the small files which were opened.
type beside struct {
	Source
	s *Store
}

// Open returns the file as it is now or, if the source cannot be reached, as
// it was when it was seen last.
func (b beside) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	id := b.ID()
	if id != "" {
		id += " beside"
	}
	old := b.s.recall(id, name)
	data, err := b.s.small(ctx, b.Source, name, old != nil)
	if err != nil && old != nil && unreachable(ctx, err) {
		return old.file, nil
	}
	old.forget()
	if err != nil {
		return nil, err
	}
	f, err := b.s.keep(ctx, data)
	if err != nil {
		return nil, err
	}
	return f, b.s.remember(id, name, entry{Digest: f.info.Digest, Size: f.info.Size})
}

// keep stores data.
func (s *Store) keep(ctx context.Context, data []byte) (*File, error) {
	sum := newHashes(nil)
	_, _ = sum.Write(data) // Never fails.
	info := Info{Size: int64(len(data)), Digest: sum.digest(SHA256)}
	hit := func() *File {
		f, err := s.open(info)
		if err != nil {
			return nil
		}
		return f
	}
	fill := func(p *partial) (Info, error) {
		if err := p.restart(Info{}, ""); err != nil {
			return Info{}, err
		}
		_, err := p.file.Write(data)
		return info, s.disk(err)
	}
	return s.produce(ctx, product{key: info.Digest.Hex(), hit: hit, fill: fill, note: func(Info) error { return nil }})
}
