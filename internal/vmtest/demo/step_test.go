package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const log = `{"time":"2026-11-21T05:00:00Z","level":"INFO","msg":"Ready: DHCP on 67"}
{"time":"2026-11-21T05:00:03Z","msg":"step","stage":"dhcp","mac":"02:00:00:00:00:01","path":"proxydhcp","file":"02:00:00:00:00:01/ipxe.efi"}
{"time":"2026-11-21T05:00:04Z","msg":"step","stage":"dhcp","mac":"02:00:00:00:00:07","path":"proxydhcp","file":"02:00:00:00:00:07/ipxe.efi"}
{"time":"2026-11-21T05:00:07Z","msg":"step","stage":"dhcp","mac":"02:00:00:00:00:01","path":"pxe","file":"02:00:00:00:00:01/ipxe.efi"}
{"time":"2026-11-21T05:00:07.1Z","msg":"step","stage":"program","mac":"02:00:00:00:00:01","path":"tftp","file":"02:00:00:00:00:01/ipxe.efi","probe":true}
{"time":"2026-11-21T05:00:08Z","msg":"step","stage":"program","mac":"02:00:00:00:00:01","path":"tftp","file":"02:00:00:00:00:01/ipxe.efi","bytes":1035264,"duration":100000000}
{"time":"2026-11-21T05:00:08.2Z","msg":"step","stage":"program","mac":"02:00:00:00:00:01","path":"tftp","file":"02:00:00:00:00:01/autoexec.ipxe","error":"not found"}
{"time":"2026-11-21T05:00:08.5Z","msg":"step","stage":"script","mac":"02:00:00:00:00:01","path":"http","file":"script","bytes":1400,"duration":1000}
{"time":"2026-11-21T05:00:08.7Z","msg":"step","stage":"initrd","mac":"02:00:00:00:00:01","path":"http","file":"initrd-0","bytes":5,"duration":90000000}
{"time":"2026-11-21T05:00:08.8Z","msg":"step","stage":"booting","mac":"02:00:00:00:00:01","path":"http","file":"booting","bytes":10,"duration":90000000}
{"time":"2026-11-21T05:00:10Z","msg":"step","stage":"file","mac":"02:00:00:00:00:01","path":"http","file":"other-0","bytes":72,"duration":90000000}
netboot: shown as it is
`

func TestSummarize(t *testing.T) {
	t.Parallel()

	steps, err := readSteps(log, "02:00:00:00:00:01")
	require.NoError(t, err)
	started := time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)
	var b strings.Builder
	summarize(&b, started, started.Add(10*time.Second), steps)
	assert.Equal(t, `    0.0 s  power on
    3.0 s  DHCP offer
    7.0 s  answer on port 4011
    8.0 s  ipxe.efi over TFTP, 1035264 bytes in 0.1 s
    8.5 s  boot script over HTTP, 1400 bytes in 0.0 s
    8.7 s  initrd over HTTP, 5 bytes in 0.1 s
    8.8 s  kernel starts
   10.0 s  cloud config over HTTP, 72 bytes in 0.1 s
   10.0 s  guest is up, with its command line and cloud config byte for byte

booted 02:00:00:00:00:01 in 10.0 s: DHCP offer → answer on port 4011 → ipxe.efi over TFTP → boot script over HTTP → initrd over HTTP → kernel starts → cloud config over HTTP → guest
`, b.String())
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()

	require.ErrorContains(t, run(t.Context(), []string{"-path", "floppy"}, &strings.Builder{}), "want bios, uefi or http")
	_, err := readSteps("{\n", "")
	require.ErrorContains(t, err, "netboot's log")
}
