package ipxe_test

import (
	"encoding/json"
	"io/fs"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

func TestTableBootSpec(t *testing.T) {
	t.Parallel()

	const uuid = "00112233-4455-6677-8899-aabbccddeeff"
	entry := func(name string, e ipxe.Entry) ipxe.Entry {
		e.Spec = &ipxe.Spec{Kernel: name}
		return e
	}
	table, err := ipxe.NewTable(tree(),
		entry("arch", ipxe.Entry{Arch: "arm64"}),
		entry("serial", ipxe.Entry{Serial: "S1"}),
		entry("serial+arch", ipxe.Entry{Serial: "S1", Arch: "arm64"}),
		entry("uuid", ipxe.Entry{UUID: uuid}),
		entry("mac", ipxe.Entry{MAC: "52-54-00-12-34-56"}),
		entry("mac+arch", ipxe.Entry{MAC: testMAC, Arch: "i386"}),
		ipxe.Entry{MAC: "52:54:00:00:00:01", Spec: nil},
	)
	require.NoError(t, err)
	mac, other, banned := net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}, net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{0x52, 0x54, 0, 0, 0, 1}
	id := [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	tests := []struct {
		name    string
		machine ipxe.Machine
		want    string
	}{
		{"unknown", ipxe.Machine{MAC: other, Arch: "x86_64"}, ""},
		{"arch", ipxe.Machine{MAC: other, Arch: "arm64"}, "arch"},
		{"serial before arch", ipxe.Machine{MAC: other, Serial: "S1", Arch: "x86_64"}, "serial"},
		{"both before one", ipxe.Machine{MAC: other, Serial: "S1", Arch: "arm64"}, "serial+arch"},
		{"uuid before both", ipxe.Machine{MAC: other, UUID: id, Serial: "S1", Arch: "arm64"}, "uuid"},
		{"mac before all", ipxe.Machine{MAC: mac, UUID: id, Serial: "S1", Arch: "arm64"}, "mac"},
		{"mac and arch before mac", ipxe.Machine{MAC: mac, UUID: id, Serial: "S1", Arch: "i386"}, "mac+arch"},
		{"banned", ipxe.Machine{MAC: banned, Arch: "arm64"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			spec, err := table.BootSpec(t.Context(), &tt.machine)
			require.NoError(t, err)
			if tt.want == "" {
				assert.Nil(t, spec)
				return
			}
			require.NotNil(t, spec)
			assert.Equal(t, tt.want, spec.Kernel)
		})
	}
}

func TestNewTableRefuses(t *testing.T) {
	t.Parallel()

	_, err := ipxe.NewTable(tree(),
		ipxe.Entry{MAC: "52:54"}, ipxe.Entry{UUID: "x"}, ipxe.Entry{MAC: testMAC}, ipxe.Entry{MAC: "52-54-00-12-34-56"})
	assert.EqualError(t, err, "ipxe: entry 0: mac \"52:54\": ipxe: want a MAC address of six bytes\n"+
		"ipxe: entry 1: uuid \"x\": ipxe: want a UUID of 36 characters\n"+
		"ipxe: entry 3: another entry has the same selectors")
}

func TestTableCheck(t *testing.T) {
	t.Parallel()

	require.NoError(t, ipxe.Static(testSpec(), tree()).Check())
	for name, tt := range map[string]struct {
		spec ipxe.Spec
		want string
	}{
		"kernel":   {ipxe.Spec{Kernel: "gone"}, `ipxe: open "gone": open gone: file does not exist`},
		"folder":   {ipxe.Spec{Kernel: "dir"}, `ipxe: open "dir": open dir: file does not exist`},
		"link":     {ipxe.Spec{Kernel: "vmlinuz", Cmdline: `a={{ ID "/x/y" }}`}, `ipxe: open "x/y": open x/y: file does not exist`},
		"function": {ipxe.Spec{Kernel: "vmlinuz", Cmdline: `a={{ printf "x" }}`}, `ipxe: Cmdline "{{ printf \"x\" }}": want {{ ID "name" }} or {{ URL "address" }}`},
		"setting":  {ipxe.Spec{Kernel: "vmlinuz", Cmdline: "${x}"}, `ipxe: Cmdline "${x}": iPXE would expand ${, and knows no escape`},
		"nothing":  {ipxe.Spec{}, `ipxe: Kernel "": a script has exactly one of Kernel, Local and Menu`},
		"script":   {ipxe.Spec{Script: "#!/bin/sh\n"}, `ipxe: Script "#!/bin/sh\n": does not start with a line #!ipxe`},
		"menu": {
			ipxe.Spec{Menu: &ipxe.Menu[ipxe.Spec]{Items: []ipxe.Item[ipxe.Spec]{{Name: "a", Text: "A", Boot: ipxe.Spec{Kernel: "gone"}}}}},
			`ipxe: open "gone": open gone: file does not exist`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := ipxe.Static(&tt.spec, tree()).Check()
			require.EqualError(t, err, tt.want)
		})
	}
	err := ipxe.Static(&ipxe.Spec{Kernel: "gone"}, tree()).Check()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, ipxe.Static(&ipxe.Spec{Local: ipxe.LocalNotFound}, tree()).Check())
	require.NoError(t, ipxe.Static(nil, tree()).Check())
}

func TestEntryJSON(t *testing.T) {
	t.Parallel()

	var got ipxe.Entry
	require.NoError(t, json.Unmarshal([]byte(`{"mac": "52:54:00:12:34:56", "spec": {"kernel": "k", "initrd": ["i"],
		"cmdline": "quiet", "on_failure": "reboot", "local": "sanboot"}}`), &got))
	want := ipxe.Entry{MAC: testMAC, Spec: &ipxe.Spec{
		Kernel: "k", Initrd: []string{"i"}, Cmdline: "quiet", OnFailure: ipxe.FailReboot, Local: ipxe.LocalSANBoot,
	}}
	assert.Equal(t, want, got)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	var again ipxe.Entry
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, want, again)
	require.Error(t, json.Unmarshal([]byte(`{"spec": {"local": "floppy"}}`), &got))
	require.Error(t, json.Unmarshal([]byte(`{"spec": {"on_failure": "cry"}}`), &got))
}
