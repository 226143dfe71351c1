package boottree

import (
	"cmp"
	"strings"
)

// separators stand in versions, the least first: 6.12.38+deb13 is newer than
// 6.12.38-1, and 6.12.1 than 6.12+deb13.
const separators = "-_+."

// CompareVersions returns −1, 0 or 1 as the kernel version a is older than b,
// the same or newer. Both may end in a flavour, such as -amd64; of two flavours
// of one version the first by name counts as the newer one.
func CompareVersions(a, b string) int {
	if a == "" || b == "" { // No version is older than any.
		return cmp.Compare(a, b)
	}
	restA, restB := beforeRelease(a), beforeRelease(b)
	for restA != "" || restB != "" {
		for startsWithText(restA) || startsWithText(restB) {
			if c := cmp.Compare(weight(restA), weight(restB)); c != 0 {
				return c
			}
			restA, restB = restA[1:], restB[1:] // Equal weights are equal characters.
		}
		var numberA, numberB string
		numberA, restA = cutNumber(restA)
		numberB, restB = cutNumber(restB)
		if c := compareNumbers(numberA, numberB); c != 0 {
			return c
		}
	}
	return cmp.Compare(a, b)
}

// beforeRelease marks release candidates: 6.10-rc1 is older than 6.10.
func beforeRelease(version string) string {
	return strings.NewReplacer("-rc", "~rc", "_rc", "~rc", ".rc", "~rc").Replace(version)
}

func startsWithText(s string) bool { return s != "" && !isDigit(s[0]) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// weight orders the first characters of what is left of two versions: `~`,
// letters, the end or a number, and separators.
func weight(s string) int {
	if s == "" || isDigit(s[0]) {
		return 0
	}
	switch c := s[0]; {
	case c == '~':
		return -1000
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return -int(c)
	case strings.IndexByte(separators, c) >= 0:
		return 1 + strings.IndexByte(separators, c)
	default:
		return 1000 + int(c)
	}
}

// cutNumber returns the digits that s starts with, and the rest.
func cutNumber(s string) (number, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}

// compareNumbers compares numbers of any length, without leading zeros.
func compareNumbers(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}
