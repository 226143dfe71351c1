package isobuild

import "io"

// A File can be read at any offset, and knows its size in bytes. An
// [io.SectionReader] is one. It must allow concurrent calls.
type File interface {
	io.ReaderAt
	Size() int64
}
