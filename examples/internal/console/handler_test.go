package console_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/examples/internal/console"
)

func TestHandler(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"info", func(l *slog.Logger) { l.Info("hello") }, "hello\n"},
		{"warning", func(l *slog.Logger) { l.Warn("slow", slog.String("mac", "52:54:00:00:00:01")) }, "WARN slow mac=52:54:00:00:00:01\n"},
		{"debug is off", func(l *slog.Logger) { l.Debug("packet") }, ""},
		{"quoted", func(l *slog.Logger) { l.Info("x", slog.String("file", "a b\n2026/01/01 00:00:00 DHCP: forged")) }, `x file="a b\n2026/01/01 00:00:00 DHCP: forged"` + "\n"},
		{"group", func(l *slog.Logger) {
			l.WithGroup("tftp").With(slog.String("peer", "p")).Info("x", slog.Int("bytes", 3))
		}, "x tftp.peer=p tftp.bytes=3\n"},
		{"attribute group", func(l *slog.Logger) { l.Info("x", slog.Group("g", slog.Int("a", 1))) }, "x g.a=1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var b strings.Builder
			tt.log(slog.New(console.NewHandler(&b, slog.LevelInfo)))
			got := b.String()
			if got != "" {
				got = got[len(console.Stamp)+1:]
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
