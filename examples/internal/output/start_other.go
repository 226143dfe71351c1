//go:build !linux

package output

import "os"

// startWriting does nothing: the system begins to write when it likes.
func startWriting(*os.File, int64, int64) {}
