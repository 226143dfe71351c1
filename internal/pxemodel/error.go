package pxemodel

import "fmt"

// A BootError is a boot that did not come to a boot file.
type BootError struct {
	Firmware string // such as "EDK2"
	Code     string // what the screen shows, such as "PXE-E55"
	Text     string
	Trace    *Trace // every packet sent, received and refused
}

// Error returns the firmware's message followed by the trace.
func (f *BootError) Error() string {
	return fmt.Sprintf("pxemodel: %s: %s: %s\n%v", f.Firmware, f.Code, f.Text, f.Trace)
}
