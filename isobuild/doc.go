// Package isobuild builds ISO images that boot on every PC, and puts files into
// existing ones. It needs no root, no loop device and no external program.
package isobuild
