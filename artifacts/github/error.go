package github

import (
	"fmt"
	"io/fs"
	"time"
)

// A RateLimitError says that GitHub answers no more requests for now.
type RateLimitError struct {
	Limit int       // requests an hour; 0 if it did not say
	Reset time.Time // when it answers again; zero if it did not say
	Token bool      // whether a token was sent
}

// Error implements the error interface.
func (e *RateLimitError) Error() string {
	s := "github: rate limit used up"
	if e.Limit > 0 {
		s = fmt.Sprintf("github: rate limit of %d requests an hour used up", e.Limit)
	}
	if !e.Reset.IsZero() {
		s += " until " + e.Reset.UTC().Format(time.RFC3339)
	}
	if !e.Token {
		s += "; with a token it is higher"
	}
	return s
}

// A missingError says that a release has no such asset.
type missingError struct {
	name    string
	release string
	hint    string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("github: %s has no asset %q%s", e.release, e.name, e.hint)
}

func (e *missingError) Is(target error) bool { return target == fs.ErrNotExist }
