package dhcpproxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerAnswers(t *testing.T) {
	t.Parallel()

	e := make(events, 10)
	_, conn := serve(t, program("ipxe.efi"), e.option())
	ev, d := conn.send(t, e, discover("PXEClient:Arch:00007:UNDI:003016", 7).bytes(), onPort67)
	require.NotNil(t, d, "%+v", ev)
	r := parseReply(d.payload)
	assert.Equal(t, "ipxe.efi", r.file())
	assert.Equal(t, strings.TrimSpace("192.0.2.1"), r.sname())
	assert.Equal(t, []byte{53, 54, 60, 97, 66, 67}, r.codes)
}
