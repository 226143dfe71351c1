package squashfs

// What Open and the files of an FS accept. Names, targets and paths have the
// limits of Linux; internal/tartree checks those of the whole tree.
const (
	maxNames     = 2 << 20   // names in an image
	maxFragments = 1 << 24   // blocks of tails and small files
	maxXattrs    = 1 << 20   // bytes of all names and values of one file, and one more for each value
	maxListings  = 256 << 20 // bytes of all listings of directories
	maxBlocks    = 1 << 24   // blocks of one file: four bytes each while it is open
)
