package output

import (
	"fmt"
	"os"
)

// CheckInputs returns an error if making the file called name would write over
// one of inputs, whatever path leads there. Those that are no files are left
// aside.
func CheckInputs(name string, inputs ...string) error {
	for _, made := range []string{name, name + partial, name + digest} {
		old, err := os.Stat(made)
		if err != nil {
			continue // Nothing is there.
		}
		for _, input := range inputs {
			if info, err := os.Stat(input); err == nil && os.SameFile(old, info) {
				return fmt.Errorf("%s would be written over %s, of which it is made", made, input)
			}
		}
	}
	return nil
}
