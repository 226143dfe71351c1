package isobuild

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSetSlot grows partitions that start at the first sector, and looks at
// where they end by cylinder, head and sector.
func TestSetSlot(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		before, after int64 // sectors
		old, want     string
	}{
		"64 heads, 32 sectors":           {2048, 4096, "\x3f\x20\x00", "\x3f\x20\x01"},
		"beyond the last cylinder":       {2048, 8 << 20, "\x3f\x20\x00", "\x3f\xe0\xff"},
		"from beyond the last cylinder":  {8 << 20, 8<<20 + 2048, "\x3f\xe0\xff", "\x3f\xe0\xff"},
		"255 heads, 63 sectors":          {16065, 2 * 16065, "\xfe\x3f\x00", "\xfe\x3f\x01"},
		"what isohybrid was told to use": {1000, 2000, "\x27\x19\x00", "\x27\x19\x01"},
		"not recorded":                   {1000, 2000, "\xfe\xff\xff", "\xfe\xff\xff"},
	} {
		slot := make([]byte, slotSize)
		copy(slot[5:], tt.old)
		binary.LittleEndian.PutUint32(slot[12:], uint32(tt.before))
		setSlot(slot, 0, tt.after)
		assert.Equal(t, tt.want, string(slot[5:8]), name)
		assert.EqualValues(t, tt.after, binary.LittleEndian.Uint32(slot[12:]), name)
	}
}
