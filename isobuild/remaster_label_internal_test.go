package isobuild

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRelabeling(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ name, from, to, text, want string }{
		{"Kairos", "COS_LIVE", "MINE", "linux x root=live:CDLABEL=COS_LIVE rd.live.dir=/\n", "linux x root=live:CDLABEL=MINE rd.live.dir=/\n"},
		{"Kairos, quoted by GRUB", "COS_LIVE", "MINE", "linux 'root=live:CDLABEL=COS_LIVE'", "linux 'root=live:CDLABEL=MINE'"},
		{"at the end", "COS_LIVE", "MINE", "CDLABEL=COS_LIVE", "CDLABEL=MINE"},
		{"a longer one", "COS_LIVE", "MINE", "CDLABEL=COS_LIVE_2 CDLABEL=COS_LIVE-1", "CDLABEL=COS_LIVE_2 CDLABEL=COS_LIVE-1"},
		{"another word", "LIVE", "MINE", "set LIVE=1 title LIVE", "set LIVE=1 title LIVE"},
		{"Fedora", "Fedora-WS-Live-41", "F-1", "search --no-floppy --set=root -l 'Fedora-WS-Live-41'", "search --no-floppy --set=root -l 'F-1'"},
		{"search --label", "A", "B", "search --label A --set\nsearch --fs-label=A", "search --label B --set\nsearch --fs-label=B"},
		{"blanks", "My Disk 1", "Yours", `inst.stage2=hd:LABEL=My\x20Disk\x201 quiet; search -l "My Disk 1"`, `inst.stage2=hd:LABEL=Yours quiet; search -l "Yours"`},
		{"characters of regular expressions", "A.B", "C", "LABEL=AxB LABEL=A.B", "LABEL=AxB LABEL=C"},
		{"not UTF-8", "M\xDCNCHEN", "M", "LABEL=M\xDCNCHEN LABEL=MNCHEN LABEL=MUNCHEN", "LABEL=M LABEL=MNCHEN LABEL=MUNCHEN"},
		{"twice on a line", "A", "B", "LABEL=A LABEL=A LABEL=A", "LABEL=B LABEL=B LABEL=B"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, changed := newRelabeling(tt.from, tt.to).apply([]byte(tt.text))
			assert.Equal(t, tt.want, string(got))
			assert.Equal(t, tt.want != tt.text, changed)
		})
	}
}

// TestRelabelingSearch puts the identifier where what is in memory at a time
// begins and ends.
func TestRelabelingSearch(t *testing.T) {
	t.Parallel()

	l := newRelabeling("COS_LIVE", "MINE")
	const text = "search -l COS_LIVE"
	for _, at := range []int{0, 1000, windowESP - 300, windowESP - 10, windowESP - len(text), windowESP, 2*windowESP - overlapESP - len(text), 2 * windowESP} {
		for after, want := range map[string]bool{"": true, "\n": true, "_2": false} {
			found, err := l.search(strings.NewReader(strings.Repeat("\x00", at) + text + after))
			require.NoError(t, err)
			assert.Equal(t, want, found, "%d, %q", at, after)
		}
	}
	broken := errors.New("broken")
	_, err := l.search(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}
