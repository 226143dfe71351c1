package oci_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/oci"
)

func TestFlattenReportsProgress(t *testing.T) {
	t.Parallel()

	layers := []oci.Layer{
		archive(layerTar(t, "a", strings.Repeat("a", 1<<20))),
		archive(layerTar(t, "b", strings.Repeat("b", 1<<20))),
	}
	var running atomic.Int32
	var done, totals []int64
	var out bytes.Buffer
	require.NoError(t, oci.Flatten(t.Context(), &out, layers, oci.WithTempDir(t.TempDir()),
		oci.WithProgress(func(name string, n, total int64) {
			assert.Equal(t, int32(1), running.Add(1), "calls overlap")
			assert.Equal(t, "flatten", name)
			done, totals = append(done, n), append(totals, total)
			running.Add(-1)
		})))

	assert.Zero(t, done[0])
	assert.Equal(t, int64(-1), totals[0])
	assert.IsNonDecreasing(t, done)
	last := len(done) - 1
	assert.Equal(t, done[last], totals[last])
	assert.Greater(t, done[last], int64(4<<20), "read and written")
}

func TestFlattenErrors(t *testing.T) {
	t.Parallel()

	layer := archive(layerTar(t, "a", strings.Repeat("a", 1<<20)))
	finished := false
	report := func(_ string, done, total int64) { finished = finished || done == total }
	err := oci.Flatten(t.Context(), io.Discard, []oci.Layer{layer, layer},
		oci.WithMaxSize(1<<20), oci.WithTempDir(t.TempDir()), oci.WithProgress(report))
	assert.ErrorContains(t, err, "oci: flatten: layer ")
	assert.ErrorContains(t, err, "larger than 1048576 bytes")
	assert.False(t, finished, "a failure was reported as a success")

	err = oci.Flatten(t.Context(), io.Discard, nil, oci.WithMaxSize(0))
	assert.Error(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = oci.Flatten(ctx, io.Discard, []oci.Layer{layer}, oci.WithTempDir(t.TempDir()))
	assert.ErrorIs(t, err, context.Canceled)
}
