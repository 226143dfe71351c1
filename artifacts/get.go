package artifacts

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/netbootkit/netbootkit/internal/meter"
)

// An answer is what a source says about a name: what the file is, or how it
// is made.
type answer struct {
	info Info
	from *Derivation
}

// get finds out what src has now, and takes that from the store or from src.
func (s *Store) get(ctx context.Context, src Source, name string) (*File, error) {
	old := s.recall(src.ID(), name)
	if old != nil && !s.satisfied(old.Checked) {
		old = old.forget()
	}
	now, err := s.ask(ctx, src, name, old != nil)
	switch {
	case err != nil && old != nil && unreachable(ctx, err):
		s.cfg.log.LogAttrs(ctx, slog.LevelWarn, "source cannot be reached, using what it had when seen last",
			slog.String("source", src.ID()), slog.String("file", label(name)),
			slog.String("digest", string(old.Digest)), slog.Any("error", err))
		return s.accept(ctx, src, old)
	case err != nil:
		old.forget()
		return nil, err
	case old != nil && old.is(now):
		return s.accept(ctx, src, old)
	}
	old.forget()
	if now.from != nil {
		return s.derive(ctx, src, name, now.from)
	}
	return s.fetchNamed(ctx, src, name, now.info)
}

// satisfied says whether a file may be used of which a digest was known, or
// not, when it was fetched.
func (s *Store) satisfied(checked bool) bool {
	return checked || s.cfg.unverified || len(s.cfg.verifiers) > 0
}

// ask returns what src has now.
func (s *Store) ask(ctx context.Context, src Source, name string, once bool) (answer, error) {
	var a answer
	err := s.brief(ctx, name, once, func(ctx context.Context) (err error) {
		a, err = question(ctx, src, name)
		return err
	})
	return a, err
}

func question(ctx context.Context, src Source, name string) (answer, error) {
	if d, ok := src.(Deriver); ok {
		from, err := d.Derive(ctx, name)
		if from != nil || err != nil {
			return answer{from: from}, err
		}
	}
	info, err := src.Stat(ctx, name)
	return answer{info: info}, err
}

// accept returns a file that was in the store, once the verifiers agree.
func (s *Store) accept(ctx context.Context, src Source, old *remembered) (*File, error) {
	if len(s.cfg.verifiers) > 0 {
		if err := s.vouch(ctx, src, old); err != nil {
			old.forget()
			return nil, err
		}
	}
	return old.file, nil
}

// vouch asks the verifiers about a file, or about that which it is a part of.
func (s *Store) vouch(ctx context.Context, src Source, old *remembered) error {
	if old.From == "" {
		return s.verify(ctx, src, old.file.info, old.file)
	}
	from, err := s.get(ctx, src, old.From)
	if err != nil {
		return err
	}
	from.drop()
	made := s.recall(makeID, partName(from, old.Part))
	defer made.forget()
	if made == nil || made.Digest != old.Digest {
		return fmt.Errorf("%s of %s is not what was made of it: %w", old.Part, label(old.From), ErrUnverified)
	}
	return nil
}

// partName is the name under which a part of a file is made.
func partName(from *File, part string) string { return string(from.info.Digest) + " " + part }

// derive makes the file called name from another one of src.
func (s *Store) derive(ctx context.Context, src Source, name string, d *Derivation) (*File, error) {
	from, err := s.get(ctx, src, d.From)
	if err != nil {
		return nil, err
	}
	defer from.drop()
	f, err := s.make(ctx, partName(from, d.Part), func(ctx context.Context, w io.Writer) error {
		m := meter.NewWriter(w, label(name), -1, s.cfg.progress)
		if err := d.Extract(ctx, m, from, from.Size()); err != nil {
			return err
		}
		m.Finish()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", d.Part, label(from.info.Name), err)
	}
	f.info.Name = name
	return f, s.remember(src.ID(), name, entry{Digest: f.info.Digest, Size: f.info.Size, From: d.From, Part: d.Part, Checked: true})
}

// fetchNamed fetches the file that src calls name and describes by info.
func (s *Store) fetchNamed(ctx context.Context, src Source, name string, info Info) (*File, error) {
	claims, err := s.claims(ctx, src, info)
	if err != nil {
		return nil, err
	}
	if !s.satisfied(len(claims) > 0) {
		return nil, ErrUnverified
	}
	return s.obtain(ctx, src, name, info, claims, func(got Info) error {
		e := entry{Digest: got.Digest, Size: got.Size, ETag: got.ETag, ModTime: got.ModTime, Checked: len(claims) > 0}
		if got.Name != name {
			e.Exact = got.Name
		}
		return s.remember(src.ID(), name, e)
	})
}

// fetchKnown returns the file with info.Digest, whatever else src says.
func (s *Store) fetchKnown(ctx context.Context, src Source, info Info) (*File, error) {
	if info.Digest == "" {
		return s.fetchNamed(ctx, src, info.Name, info)
	}
	if _, err := ParseDigest(string(info.Digest)); err != nil {
		return nil, err
	}
	return s.obtain(ctx, src, info.Name, info, []claim{{info.Digest, "the caller"}}, func(Info) error { return nil })
}
