package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarks(t *testing.T) {
	t.Parallel()

	start := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	steps := []step{
		{Kind: stepFirmware, At: at(3)},
		{Kind: stepFirmware, At: at(7)},
		{Kind: stepTFTP, Name: "ipxe.efi", At: at(8)}, // A probe of the size.
		{Kind: stepTFTP, Name: "ipxe.efi", At: at(8.5), Until: at(9)},
		{Kind: stepTFTP, Name: "autoexec.ipxe", At: at(9.5)},
		{Kind: stepIPXE, At: at(11)},
		{Kind: stepHTTP, Name: "/script", At: at(12), Until: at(12.1)},
		{Kind: stepHTTP, Name: "/kernel", At: at(12.2), Until: at(12.3)},
		{Kind: stepHTTP, Name: "/initrd", At: at(12.4), Until: at(13)},
		{Kind: stepHTTP, Name: "/config", At: at(14), Until: at(14.1)},
	}
	ends, err := marks(steps, start, at(15))
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{3e9, 8e9, 9e9, 12e9, 13e9, 15e9}, ends)
	assert.Len(t, phases(), len(ends))

	_, err = marks(steps[:6], start, at(15))
	assert.ErrorContains(t, err, "script", "a phase that did not end is not a time of zero")
}

func TestPhaseTable(t *testing.T) {
	t.Parallel()

	var ours, theirs bootTimes
	ours.add([]time.Duration{1e9, 3e9, 6e9, 10e9, 15e9, 21e9})
	theirs.add([]time.Duration{2e9, 4e9, 6e9, 8e9, 10e9, 12e9})
	rows := phaseTable(&ours, &theirs).rows
	assert.Equal(t, []string{phases()[5], "6.00", "2.00"}, rows[5])
	assert.Equal(t, []string{"all", "21.0", "12.0"}, rows[6])
}
