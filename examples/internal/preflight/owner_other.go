//go:build !linux

package preflight

// Owner returns "": which program holds a port is only known on Linux.
func Owner(string, uint16) string { return "" }
