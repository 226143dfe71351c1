package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A config is a document of Kairos, as far as disks go.
type config struct {
	Stages map[string][]step `yaml:"stages"`
}

// A step is done if a shell says so: first the partitions, then the commands.
type step struct {
	Name     string   `yaml:"name"`
	If       string   `yaml:"if"`
	Commands []string `yaml:"commands"`
	Layout   struct {
		Device struct {
			Label string `yaml:"label"`
		} `yaml:"device"`
		Add []partition `yaml:"add_partitions"`
	} `yaml:"layout"`
}

// A partition is one to be added.
type partition struct {
	FSLabel    string `yaml:"fsLabel"`
	PLabel     string `yaml:"pLabel"`
	Size       int64  `yaml:"size"` // in MiB; 0 is the rest of the disk
	FileSystem string `yaml:"filesystem"`
}

// runStage carries out a stage of all documents of a folder, in the order of
// their names, and returns the steps that it carried out.
func runStage(dir, stage string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var done []string
	for _, name := range names {
		text, err := os.ReadFile(name) //nolint:gosec // A document of the test.
		if err != nil {
			return done, err
		}
		var c config
		if err := yaml.Unmarshal(text, &c); err != nil {
			return done, fmt.Errorf("%s: %w", name, err)
		}
		for i := range c.Stages[stage] {
			s := &c.Stages[stage][i]
			if s.If != "" && shell(s.If) != nil {
				continue
			}
			done = append(done, stage+": "+s.Name)
			if err := s.run(); err != nil {
				return done, fmt.Errorf("%s: %s: %s: %w", name, stage, s.Name, err)
			}
		}
	}
	return done, nil
}

func (s *step) run() error {
	if s.Layout.Device.Label != "" {
		if err := s.addPartitions(); err != nil {
			return err
		}
	}
	for _, command := range s.Commands {
		if err := shell(command); err != nil {
			return err
		}
	}
	return nil
}

// addPartitions adds partitions to the disk that has a file system of the
// label, unless they are there.
func (s *step) addPartitions() error {
	device, err := output("blkid", "-L", s.Layout.Device.Label)
	if err != nil {
		return err
	}
	name, err := output("lsblk", "-ndo", "PKNAME", device)
	if err != nil {
		return err
	}
	disk := "/dev/" + name
	if _, err := output("sgdisk", "--move-second-header", disk); err != nil {
		return err
	}
	for _, p := range s.Layout.Add {
		if _, err := output("blkid", "-L", p.FSLabel); err == nil {
			continue
		}
		if err := p.add(name); err != nil {
			return err
		}
	}
	return nil
}

// add adds a partition behind the others, and makes a file system in it.
func (p *partition) add(disk string) error {
	parts, err := filepath.Glob("/sys/block/" + disk + "/" + disk + "*")
	if err != nil {
		return err
	}
	number := strconv.Itoa(len(parts) + 1)
	end := "0"
	if p.Size > 0 {
		end = fmt.Sprintf("+%dM", p.Size)
	}
	if _, err := output("sgdisk", "--new="+number+":0:"+end, "--change-name="+number+":"+p.PLabel, "/dev/"+disk); err != nil {
		return err
	}
	if _, err := output("partx", "--add", "--nr", number, "/dev/"+disk); err != nil {
		return err
	}
	_, err = output("mkfs."+p.FileSystem, "-q", "-L", p.FSLabel, "/dev/"+disk+number)
	return err
}

// shell runs a command as a step has it.
func shell(command string) error {
	_, err := output("sh", "-c", command)
	return err
}

// output runs a program and returns what it prints.
func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput() //nolint:gosec,noctx // The machine ends with it.
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
