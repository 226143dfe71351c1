// Package diskimage makes raw disks that boot, of file trees.
package diskimage
