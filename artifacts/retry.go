package artifacts

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"
)

const (
	maxWait       = 30 * time.Second // between two attempts
	maxRetryAfter = 2 * time.Minute  // what a server may ask for
	revalidate    = 10 * time.Second // to say whether what the store has is still the newest
)

// retry calls try until it succeeds, fails for good, or failed often enough
// in a row without progress.
func (s *Store) retry(ctx context.Context, name string, try func(ctx context.Context) (progress bool, err error)) error {
	failures := 0
	for {
		progress, err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if progress {
			failures = 0
		}
		failures++
		wait := s.pause(err, failures)
		if failures >= s.cfg.attempts || wait > maxRetryAfter || !temporary(err) {
			return err
		}
		s.cfg.log.LogAttrs(ctx, slog.LevelWarn, "fetch interrupted, trying again", slog.String("file", label(name)),
			slog.Any("error", err), slog.Duration("wait", wait))
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// brief is retry for what is soon done, or not at all; with only one attempt
// and less time if once is set.
func (s *Store) brief(ctx context.Context, name string, once bool, try func(ctx context.Context) error) error {
	limit := s.cfg.idle
	limited := func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return false, try(ctx)
	}
	if once {
		limit = revalidate
		_, err := limited(ctx)
		return err
	}
	return s.retry(ctx, name, limited)
}

// pause returns how long to wait after so many failures, the last with err.
func (s *Store) pause(err error, failures int) time.Duration {
	wait := min(s.cfg.wait<<min(failures-1, 16), maxWait)
	if wait > 0 {
		wait -= rand.N(wait/2 + 1) //nolint:gosec // It spreads clients over time.
	}
	if answer, ok := errors.AsType[*HTTPError](err); ok {
		wait = max(wait, answer.RetryAfter)
	}
	return wait
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// temporary says whether it is worth asking again after err.
func temporary(err error) bool {
	var (
		read   *readError
		answer *HTTPError
		cert   *tls.CertificateVerificationError
		name   *net.DNSError
		op     *net.OpError
		timed  net.Error
		other  interface{ Temporary() bool }
	)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.As(err, &cert):
		return false
	case errors.As(err, &answer):
		return answer.Temporary()
	case errors.As(err, &name):
		return !name.IsNotFound
	case errors.As(err, &read), errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.As(err, &timed) && timed.Timeout():
		return true
	default:
		return errors.As(err, &other) && other.Temporary()
	}
}

// unreachable says whether err leaves open what the source has now, so that
// what it had when it was seen last may be used.
func unreachable(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission)
}
