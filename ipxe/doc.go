// Package ipxe renders scripts for iPXE and answers machines that boot over
// HTTP.
package ipxe
