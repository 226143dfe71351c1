package diskimage

import (
	"fmt"
	"strings"
)

// kairosStub is GRUB's configuration where it starts: it goes on with that of
// the recovery partition, which belongs to the Kairos.
const kairosStub = `search --no-floppy --label --set=root COS_RECOVERY
set prefix=($root)/grub2
configfile ($root)/etc/cos/grub.cfg
`

// DefaultCloudConfig returns the cloud config that AuroraBoot puts into the
// disk of a Kairos when it is given none: it makes a user kairos, whose password
// everybody knows. Here, none is put in unless [WithCloudConfig] says so.
func DefaultCloudConfig() []byte {
	return []byte(`#cloud-config
stages:
  initramfs:
    - name: "Default user"
      users:
        kairos:
          passwd: kairos
          groups:
            - admin
`)
}

// resetConfig returns 01_reset.yaml, with which the first boot of a Kairos makes
// its other partitions, and resets itself into them. State is the size of
// COS_STATE in MiB.
func resetConfig(state int64) []byte {
	return fmt.Appendf(nil, `#cloud-config
name: "Expand disk layout and autoreset"
stages:
  rootfs.before:
    - name: "Add the state and persistent partitions"
      layout:
        device:
          label: %s
        add_partitions:
          - fsLabel: %s
            size: %d
            pLabel: state
            filesystem: ext2
          - fsLabel: %s
            pLabel: persistent
            filesystem: ext2
  network:
    - name: "See the new partitions"
      commands:
        - udevadm trigger
    - name: "Reset the system"
      if: '[ -f /run/cos/recovery_mode ] && [ ! -f /oem/.autoreset.skip ]'
      commands:
        - kairos-agent --debug reset --unattended --reboot
  after-reset:
    - name: "Do this once only"
      if: '[ -f /oem/01_reset.yaml ]'
      commands:
        - rm /oem/01_reset.yaml
`, labelRecovery, labelState, state, labelPersistent)
}

// grubEnvironment returns a block of GRUB's environment (GRUB 2.06 manual,
// "The GRUB environment block"): 1024 bytes with lines and # up to the end.
func grubEnvironment(lines ...string) []byte {
	const size = 1024
	text := "# GRUB Environment Block\n" + strings.Join(lines, "\n") + "\n"
	return []byte(text + strings.Repeat("#", size-len(text)))
}
