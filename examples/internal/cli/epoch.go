package cli

import (
	"os"
	"strconv"
	"time"
)

// Epoch returns the time that what is made has to have, which the environment
// gives as SOURCE_DATE_EPOCH, a number of seconds since 1970
// (reproducible-builds.org). It is zero if nothing is given.
func Epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, Usagef("SOURCE_DATE_EPOCH %q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
