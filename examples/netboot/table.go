package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/netbootkit/netbootkit/ipxe"
)

// A machineTable is the file of -table:
//
//	machines:
//	  - mac: 52:54:00:12:34:56        # or uuid, serial, arch; all given must match
//	    kernel: vmlinuz
//	    initrd: [initrd.img]
//	    cmdline: console=ttyS0 root=live:{{ ID "root.squashfs" }}
//	    cloud-config: node1.yaml
//	  - arch: arm64
//	    local: exit                   # boots from its own disk
//	  - serial: ABC123
//	    script-file: rescue.ipxe
//	default:                          # everybody else; left out, they get no answer
//	  kernel: …
type machineTable struct {
	Machines []machineRow `yaml:"machines"`
	Default  *boot        `yaml:"default"`
}

type machineRow struct {
	MAC    string `yaml:"mac"`
	UUID   string `yaml:"uuid"`
	Serial string `yaml:"serial"`
	Arch   string `yaml:"arch"`
	boot   `yaml:",inline"`
}

// A boot is an [ipxe.Spec] as people write it.
type boot struct {
	Kernel      string         `yaml:"kernel"`
	Initrd      []string       `yaml:"initrd"`
	Cmdline     string         `yaml:"cmdline"`
	CloudConfig string         `yaml:"cloud-config"`
	Message     string         `yaml:"message"`
	ScriptFile  string         `yaml:"script-file"`
	Local       ipxe.LocalBoot `yaml:"local"`
	OnFailure   ipxe.Failure   `yaml:"on-failure"`
	Retries     int            `yaml:"retries"`
	Timeout     time.Duration  `yaml:"timeout"`
	Menu        *menu          `yaml:"menu"`
}

type menu struct {
	Title   string        `yaml:"title"`
	Default string        `yaml:"default"`
	Timeout time.Duration `yaml:"timeout"`
	Items   []menuItem    `yaml:"items"`
}

type menuItem struct {
	Name string `yaml:"name"`
	Text string `yaml:"text"`
	boot `yaml:",inline"`
}

// readTable reads the machine table in file.
func readTable(file string) ([]ipxe.Entry, error) {
	f, err := os.Open(file) //nolint:gosec // The user named it.
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	var table machineTable
	if err := dec.Decode(&table); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	entries, err := table.entries()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return entries, nil
}

func (t *machineTable) entries() ([]ipxe.Entry, error) {
	if len(t.Machines) == 0 && t.Default == nil {
		return nil, errors.New("neither machines nor default: nothing would boot")
	}
	var entries []ipxe.Entry
	for i, row := range t.Machines {
		e := ipxe.Entry{MAC: row.MAC, UUID: row.UUID, Serial: row.Serial, Arch: row.Arch}
		if e == (ipxe.Entry{}) {
			return nil, fmt.Errorf("machine %d has none of mac, uuid, serial and arch; what everybody boots is under default", i+1)
		}
		spec, err := row.spec()
		if err != nil {
			return nil, fmt.Errorf("machine %d: %w", i+1, err)
		}
		e.Spec = spec
		entries = append(entries, e)
	}
	if t.Default == nil {
		return entries, nil
	}
	spec, err := t.Default.spec()
	if err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	return append(entries, ipxe.Entry{Spec: spec}), nil
}

func (b *boot) spec() (*ipxe.Spec, error) {
	s := &ipxe.Spec{
		Kernel: b.Kernel, Initrd: b.Initrd, Cmdline: withCloudConfig(b.Cmdline, b.CloudConfig), Message: b.Message,
		Local: b.Local, OnFailure: b.OnFailure, Retries: b.Retries, Timeout: b.Timeout,
	}
	if b.ScriptFile != "" {
		text, err := os.ReadFile(b.ScriptFile)
		if err != nil {
			return nil, err
		}
		s.Script = string(text)
	}
	if b.Menu != nil {
		m, err := b.Menu.menu()
		if err != nil {
			return nil, err
		}
		s.Menu = m
	}
	if s.Kernel == "" && s.Script == "" && s.Menu == nil && s.Local == ipxe.LocalNone {
		return nil, errors.New("nothing to boot: want kernel, script-file, menu or local")
	}
	return s, nil
}

func (m *menu) menu() (*ipxe.Menu[ipxe.Spec], error) {
	out := &ipxe.Menu[ipxe.Spec]{Title: m.Title, Default: m.Default, Timeout: m.Timeout}
	for _, item := range m.Items {
		spec, err := item.spec()
		if err != nil {
			return nil, fmt.Errorf("menu item %q: %w", item.Name, err)
		}
		out.Items = append(out.Items, ipxe.Item[ipxe.Spec]{Name: item.Name, Text: item.Text, Boot: *spec})
	}
	return out, nil
}
