package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRowVerdict(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		row  row
		want string
	}{
		"target":          {row{ours: sample{30, 31}, theirs: sample{10, 10}, target: 3, floor: 1.5}, "met"},
		"floor":           {row{ours: sample{20}, theirs: sample{10}, target: 3, floor: 1.5}, "floor met"},
		"below the floor": {row{ours: sample{14}, theirs: sample{10}, target: 3, floor: 1.5}, "**not met**"},
		"no floor":        {row{ours: sample{9}, theirs: sample{10}, target: 1}, "**not met**"},
		"of interest":     {row{ours: sample{1}, theirs: sample{10}}, ""},
		"less is better":  {row{ours: sample{5}, theirs: sample{10}, lower: true, target: 2}, "met"},
		"more is worse":   {row{ours: sample{10}, theirs: sample{5}, lower: true, target: 1}, "**not met**"},
		"limit":           {row{ours: sample{63, 20}, limit: 64}, "met"},
		"over the limit":  {row{ours: sample{20, 64}, limit: 64}, "**not met**"},
		"nothing":         {row{target: 1}, "**not met**"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.row.verdict())
		})
	}
}

func TestRowCells(t *testing.T) {
	t.Parallel()

	r := row{measure: "offers/s", peer: "dnsmasq", ours: sample{90000, 80000, 100000}, theirs: sample{30000, 40000, 30000}, target: 3, floor: 1.5}
	assert.Equal(t, []string{"offers/s", "90 000", "dnsmasq 30 000", "3.00 (2.00 to 3.33)", "≥ 3", "≥ 1.5", "met"}, r.cells())
	r = row{measure: "memory, MiB", ours: sample{20, 31.25}, limit: 64}
	assert.Equal(t, []string{"memory, MiB", "at most 31.2", "", "", "under 64.0", "", "met"}, r.cells())
}

func TestNumber(t *testing.T) {
	t.Parallel()

	for want, v := range map[string]float64{"0.00": 0, "1.50": 1.5, "99.5": 99.5, "123": 123.4, "1 234": 1234, "1 234 568": 1234567.8} {
		assert.Equal(t, want, number(v))
	}
}

func TestWriteTable(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	require.NoError(t, writeTable(&b, []string{"a", "ratio"}, [][]string{{"long", "≥ 3"}, {"", "1"}}))
	assert.Equal(t, ""+
		"| a    | ratio |\n"+
		"|------|-------|\n"+
		"| long | ≥ 3   |\n"+
		"|      | 1     |\n", b.String())
}
