package isobuild

import (
	"cmp"
	"slices"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// A span is a range of blocks, from first up to end.
type span struct{ first, end int64 }

// spanOf returns the blocks of an extent.
func spanOf(e iso9660.Extent) span {
	return span{int64(e.Block), int64(e.Block) + (e.Size+blockSize-1)/blockSize}
}

// shifted returns s, by blocks further.
func (s span) shifted(by int64) span { return span{s.first + by, s.end + by} }

// has says whether a block is in s.
func (s span) has(block int64) bool { return s.first <= block && block < s.end }

// merged returns list in order, without overlaps and empty ranges.
func merged(list []span) []span {
	list = slices.DeleteFunc(slices.Clone(list), func(s span) bool { return s.first >= s.end })
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	var all []span
	for _, s := range list {
		if n := len(all); n > 0 && s.first <= all[n-1].end {
			all[n-1].end = max(all[n-1].end, s.end)
			continue
		}
		all = append(all, s)
	}
	return all
}

// without returns what of a is not in b; both are merged.
func without(a, b []span) []span {
	var rest []span
	for _, s := range a {
		for len(b) > 0 && b[0].end <= s.first {
			b = b[1:]
		}
		for i := 0; i < len(b) && b[i].first < s.end; i++ {
			if s.first < b[i].first {
				rest = append(rest, span{s.first, b[i].first})
			}
			s.first = min(s.end, b[i].end)
		}
		if s.first < s.end {
			rest = append(rest, s)
		}
	}
	return rest
}

// contains says whether a block is in list, which is merged.
func contains(list []span, block int64) bool {
	i, found := slices.BinarySearchFunc(list, block, func(s span, block int64) int { return cmp.Compare(s.first, block) })
	return found || i > 0 && block < list[i-1].end
}
