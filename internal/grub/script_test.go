package grub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/grub"
)

func TestQuote(t *testing.T) {
	t.Parallel()

	assert.Equal(t, `/boot/kernel console=ttyS0,115200 'a b' '' 'it'\''s'`,
		grub.Quote("/boot/kernel", "console=ttyS0,115200", "a b", "", "it's"))
}

func TestSerial(t *testing.T) {
	t.Parallel()

	for console, want := range map[string]string{
		"ttyS0": "--unit=0 --speed=9600;", "ttyS1,115200n8": "--unit=1 --speed=115200;",
	} {
		assert.Contains(t, grub.Serial([]string{"tty0", console, "ttyS7"}), want)
	}
	assert.Empty(t, grub.Serial([]string{"tty0", "ttyS", "ttySAC0", "ttyAMA0"}))
}
