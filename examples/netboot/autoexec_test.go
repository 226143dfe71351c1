package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
)

// TestServerAutoexec fetches, as a boot program without a script does, the
// script beside itself over TFTP. A program that has one must not find any.
func TestServerAutoexec(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		args []string
		want bool
	}{
		{"asked for", []string{"-autoexec", "-firmware", folder(t, "ipxe.efi")}, true},
		{"programs of the user's own", []string{"-firmware", folder(t, "ipxe.efi")}, false},
		{"embedded programs", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			args := ports(t)
			value := func(flag string) string { return args[slices.Index(args, flag)+1] }
			tftp, web := "127.0.0.1:"+value("-tftp-port"), "http://127.0.0.1:"+value("-http-port")
			s, _ := start(t, slices.Concat(args, []string{"-root", folder(t, "kernel"), "-kernel", "kernel"}, tt.args)...)
			require.NoError(t, s.listen(t.Context()))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.serve(ctx) }()

			var got bytes.Buffer
			_, err := tftpclient.Client{BlockSize: 1432, Size: true}.Get(t.Context(), tftp, "52:54:00:00:00:07/autoexec.ipxe", &got)
			if tt.want {
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(got.String(), "#!ipxe\n"), got.String())
				assert.Contains(t, got.String(), " "+web+"/_/ipxe?mac=${netX/mac}")
			} else {
				var told *tftpclient.Error
				require.ErrorAs(t, err, &told)
				assert.EqualValues(t, 1, told.Code, "file not found")
			}
			cancel()
			require.NoError(t, <-done)
		})
	}
}
