package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSampleMedian(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		in   sample
		want float64
	}{
		"nothing": {nil, 0},
		"one":     {sample{7}, 7},
		"odd":     {sample{9, 1, 5}, 5},
		"even":    {sample{4, 1, 2, 100}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(c.in)
			assert.InDelta(t, c.want, c.in.median(), 1e-12)
			assert.Equal(t, before, c.in, "the order of the rounds is kept")
		})
	}
}

func TestSampleMinMax(t *testing.T) {
	t.Parallel()

	s := sample{3, 1, 2}
	assert.InDelta(t, 1, s.min(), 0)
	assert.InDelta(t, 3, s.max(), 0)
	assert.Zero(t, sample(nil).min())
	assert.Zero(t, sample(nil).max())
}

func TestSampleOver(t *testing.T) {
	t.Parallel()

	assert.Equal(t, sample{2, 0.5}, sample{4, 1}.over(sample{2, 2}))
	assert.Equal(t, sample{2}, sample{4, 1, 8}.over(sample{2, 0}), "rounds without a partner do not count")
	assert.Empty(t, sample{1}.over(nil))
}
