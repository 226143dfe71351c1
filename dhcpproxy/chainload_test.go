package dhcpproxy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

func TestChainloadOfferWhenLooping(t *testing.T) {
	t.Parallel()

	req := &dhcpproxy.Request{
		MAC: testMAC, Arch: dhcpproxy.ArchX64EFI, Client: dhcpproxy.ClientIPXE,
		Features: dhcpproxy.Features{Present: true, HTTP: true},
	}
	c := chainload()
	c.Replace = func(*dhcpproxy.Request) bool { return true }
	o, err := c.Offer(t.Context(), req)
	require.NoError(t, err)
	assert.Contains(t, o.BootFile, "/ipxe.efi")

	req.Looping = true
	o, err = c.Offer(t.Context(), req)
	require.NoError(t, err)
	assert.Contains(t, o.BootFile, "/script", "the script breaks the loop")

	c.Loop = func(context.Context, *dhcpproxy.Request) (*dhcpproxy.Offer, error) { return nil, nil }
	o, err = c.Offer(t.Context(), req)
	require.NoError(t, err)
	assert.Nil(t, o)
}

func TestChainloadOfferWhenKnownFails(t *testing.T) {
	t.Parallel()

	down := errors.New("database down")
	c := chainload()
	c.Known = func(context.Context, *dhcpproxy.Request) (bool, error) { return true, down }
	_, err := c.Offer(t.Context(), &dhcpproxy.Request{MAC: testMAC})
	require.ErrorIs(t, err, down)
	assert.NotErrorIs(t, err, dhcpproxy.ErrDeclined)
}
