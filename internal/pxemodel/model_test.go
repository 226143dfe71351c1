package pxemodel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// direct is option 43 with "load the file at once".
func direct(_, p *pxemodel.Packet) { p.Add(pxemodel.OptVendor, 6, 1, 8, 255) }

// nothing leaves the reply as it is.
func nothing(_, _ *pxemodel.Packet) {}

// TestModelsAcceptAndRefuse is the field's experience as a table: which reply
// boots which firmware, and what the screen says when it does not.
func TestModelsAcceptAndRefuse(t *testing.T) {
	t.Parallel()

	const booted = "" // the code of a machine that boots
	tests := []struct {
		name   string
		client client
		shape  func(req, p *pxemodel.Packet)
		code   string
		via    pxemodel.Via
	}{
		{"BIOS takes 43.6=8", bios(), direct, booted, pxemodel.ViaOffer},
		{"BIOS without 43 asks 4011", bios(), nothing, booted, pxemodel.ViaPort4011},
		{"BIOS that asks anyway", &pxemodel.BIOS{AsksAnyway: true}, direct, booted, pxemodel.ViaPort4011},
		{"BIOS that informs", &pxemodel.BIOS{Informs: true}, nothing, booted, pxemodel.ViaPort4011},
		{"BIOS needs the end of 43", bios(), func(_, p *pxemodel.Packet) { p.Add(43, 6, 1, 8) }, "PXE-E77", ""},
		{"BIOS needs a file field", bios(), func(_, p *pxemodel.Packet) {
			p.File = ""
			p.Add(pxemodel.OptBootFile, []byte("boot.nbp\x00")...)
			direct(nil, p)
		}, "PXE-E55", ""},
		{"BIOS sends an item and wants it back", &pxemodel.BIOS{SendsItem: true}, nothing, "PXE-E55", ""},
		{"BIOS refuses BOOTP", bios(), booter, "PXE-E53", ""},
		{"BIOS refuses an echoed class", bios(), func(req, p *pxemodel.Packet) {
			without(p, 60)
			p.Add(60, req.Get(60)...)
			direct(nil, p)
		}, "PXE-E53", ""},
		{"BIOS refuses HTTPClient", bios(), httpClient, "PXE-E53", ""},

		{"EDK2 without 43 asks 4011", edk2(), nothing, booted, pxemodel.ViaPort4011},
		{"EDK2 takes 43.6=8", edk2(), direct, booted, pxemodel.ViaOffer},
		{"EDK2 bears 43 without end", edk2(), func(_, p *pxemodel.Packet) { p.Add(43, 6, 1, 8) }, booted, pxemodel.ViaOffer},
		{"old EDK2 drops 43.6=8", &pxemodel.EDK2{DropsPXE10: true}, direct, "PXE-E16", ""},
		{"old EDK2 asks 4011", &pxemodel.EDK2{DropsPXE10: true}, nothing, booted, pxemodel.ViaPort4011},
		{"EDK2 refuses BOOTP beside a DHCP server", edk2(), booter, "PXE-E16", ""},
		{"EDK2 refuses an offer without 54", edk2(), func(_, p *pxemodel.Packet) { without(p, 54) }, "PXE-E16", ""},
		{"EDK2 discards MTFTP", edk2(), func(_, p *pxemodel.Packet) {
			p.Add(43, 1, 4, 224, 0, 0, 1, 2, 2, 0, 1, 3, 2, 0, 2, 4, 1, 1, 5, 1, 1, 255)
		}, "PXE-E16", ""},
		{"EDK2 drops a bad length", edk2(), func(_, p *pxemodel.Packet) { p.Add(13, 1) }, "PXE-E16", ""},
		{"EDK2 refuses HTTPClient", edk2(), httpClient, "PXE-E16", ""},
		{"EDK2 needs a file from 4011", edk2(), func(_, p *pxemodel.Packet) { p.File = "" }, "PXE-E18", ""},

		{"iPXE needs no 4011", ipxe(), nothing, booted, pxemodel.ViaOffer},
		{"iPXE takes 43.6=8", ipxe(), direct, booted, pxemodel.ViaOffer},
		{"iPXE takes a proxy without 54", ipxe(), func(_, p *pxemodel.Packet) { without(p, 54) }, booted, pxemodel.ViaOffer},
		{"iPXE takes a proxy without 53", ipxe(), func(_, p *pxemodel.Packet) { without(p, 53) }, booted, pxemodel.ViaOffer},
		{"iPXE asks 4011 without a file", ipxe(), func(_, p *pxemodel.Packet) {
			if p.Type() == pxemodel.Offer {
				p.File = ""
			}
		}, booted, pxemodel.ViaPort4011},
		{"iPXE needs siaddr", ipxe(), func(_, p *pxemodel.Packet) { p.SIAddr = p.YIAddr }, "2d0362", ""},
		{"iPXE refuses HTTPClient", ipxe(), httpClient, "2d0362", ""},

		{"HTTP boot takes a URL", httpBoot(), httpClient, booted, pxemodel.ViaOffer},
		{"HTTP boot sees no PXEClient", httpBoot(), nothing, "HTTP-E16", ""},
		{"HTTP boot without a name server", httpBoot(), func(req, p *pxemodel.Packet) {
			httpClient(req, p)
			p.File = "http://boot.example/x.efi"
		}, "HTTP-E16", ""},
		{"HTTP boot needs a URL", httpBoot(), func(req, p *pxemodel.Packet) {
			httpClient(req, p)
			p.File = "x.efi"
		}, "HTTP-E16", ""},
		{"HTTP boot with TLS only", &pxemodel.HTTPBoot{HTTPSOnly: true}, httpClient, "HTTP-E16", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.serveAddresses()
				l.proxy("10.0.0.2", tt.shape)
				r, err := tt.client.Boot(l.ctx, l.machine(1))
				if tt.code != booted {
					requireFailure(t, err, tt.code)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, tt.via, r.Via, "%v", r.Trace)
				assert.Contains(t, []string{"tftp://10.0.0.2/boot.nbp", "http://10.0.0.2/x.efi"}, r.URL())
			})
		})
	}
}

// booter is the reply of siderolabs/booter: no 53, no 54, the client's class
// (booter#4, booter#10).
func booter(req, p *pxemodel.Packet) {
	without(p, 53)
	without(p, 54)
	without(p, 60)
	p.Add(60, req.Get(60)...)
}

func httpClient(_, p *pxemodel.Packet) {
	without(p, 60)
	p.Add(60, []byte("HTTPClient")...)
	p.File = "http://10.0.0.2/x.efi"
}

func TestModelsWithoutServers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name           string
		client         client
		address, proxy bool
		code           string
		least, most    time.Duration
	}{
		{"BIOS alone", bios(), false, false, "PXE-E51", 60 * time.Second, 60 * time.Second},
		{"BIOS with a proxy only", bios(), false, true, "PXE-E52", 60 * time.Second, 60 * time.Second},
		{"BIOS with addresses only", bios(), true, false, "PXE-E53", 60 * time.Second, 61 * time.Second},
		{"EDK2 alone", edk2(), false, false, "PXE-E16", 60 * time.Second, 60 * time.Second},
		{"EDK2 with a proxy only", edk2(), false, true, "PXE-E16", 60 * time.Second, 60 * time.Second},
		{"EDK2 with addresses only", edk2(), true, false, "PXE-E16", 60 * time.Second, 60 * time.Second},
		{"iPXE alone", ipxe(), false, false, "040ee1", 15 * time.Second, 15 * time.Second},
		{"iPXE with addresses only", ipxe(), true, false, "2d0362", 2 * time.Second, 4 * time.Second},
		{"HTTP boot alone", httpBoot(), false, false, "HTTP-E16", 60 * time.Second, 60 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				if tt.address {
					l.serveAddresses()
				}
				if tt.proxy {
					l.proxy("10.0.0.2", direct)
				}
				start := time.Now()
				_, err := tt.client.Boot(l.ctx, l.machine(1))
				requireFailure(t, err, tt.code)
				assert.GreaterOrEqual(t, time.Since(start), tt.least)
				assert.LessOrEqual(t, time.Since(start), tt.most)
			})
		})
	}
}

// TestEDK2PrefersAddressServer shows why a router with stale PXE settings
// beats every proxy.
func TestEDK2PrefersAddressServer(t *testing.T) {
	t.Parallel()

	inLab(t, pxemodel.Faults{}, func(l *lab) {
		t := l.t
		l.address.Class, l.address.Vendor, l.address.File = "PXEClient", []byte{6, 1, 8, 255}, "stale.nbp"
		l.serveAddresses()
		l.proxy("10.0.0.2", direct)
		r, err := edk2().Boot(l.ctx, l.machine(1))
		require.NoError(t, err)
		assert.Equal(t, "tftp://10.0.0.1/stale.nbp", r.URL())
	})
}

// TestEDK2PrefersProxyToFile shows that a boot file alone does not.
func TestEDK2PrefersProxyToFile(t *testing.T) {
	t.Parallel()

	inLab(t, pxemodel.Faults{}, func(l *lab) {
		t := l.t
		l.address.File, l.address.NextServer = "stale.nbp", l.address.Host.Addr()
		l.serveAddresses()
		l.proxy("10.0.0.2", nothing)
		r, err := edk2().Boot(l.ctx, l.machine(1))
		require.NoError(t, err)
		assert.Equal(t, "tftp://10.0.0.2/boot.nbp", r.URL())
	})
}

// TestIPXEPrefersAddressServerFile shows the opposite for iPXE, and the
// priority that turns it round.
func TestIPXEPrefersAddressServerFile(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, want string
		shape      func(req, p *pxemodel.Packet)
	}{
		{"equal", "tftp://10.0.0.1/stale.nbp", nothing},
		{"higher", "tftp://10.0.0.2/boot.nbp", func(_, p *pxemodel.Packet) { p.Add(175, 1, 1, 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.address.File, l.address.NextServer = "stale.nbp", l.address.Host.Addr()
				l.serveAddresses()
				l.proxy("10.0.0.2", tt.shape)
				r, err := ipxe().Boot(l.ctx, l.machine(1))
				require.NoError(t, err)
				assert.Equal(t, tt.want, r.URL(), "%v", r.Trace)
			})
		})
	}
}

// TestIPXEWaitsForProxy shows the two seconds: a proxy that is slower than the
// address server by less is waited for, by more is not.
func TestIPXEWaitsForProxy(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name  string
		delay time.Duration
		noPXE bool
		boots bool
	}{
		{"soon", 1500 * time.Millisecond, false, true},
		{"late", 8 * time.Second, false, false},
		{"told not to wait", 500 * time.Millisecond, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.address.NoPXE = tt.noPXE
				l.serveAddresses()
				l.proxy("10.0.0.2", func(_, p *pxemodel.Packet) { time.Sleep(tt.delay) })
				_, err := ipxe().Boot(l.ctx, l.machine(1))
				if tt.boots {
					require.NoError(t, err)
					return
				}
				requireFailure(t, err, "2d0362")
			})
		})
	}
}

// TestModelsMenu boots through a menu's first item and its boot server.
func TestModelsMenu(t *testing.T) {
	t.Parallel()

	menu := func(control byte, servers ...byte) func(req, p *pxemodel.Packet) {
		return func(req, p *pxemodel.Packet) {
			if p.Type() == pxemodel.Ack && req.Has(43) {
				p.Add(43, 71, 4, 0x80, 1, 0, 0, 255)
				p.File = "item.nbp"
				return
			}
			v := append([]byte{6, 1, control, 9, 7, 0x80, 1, 4, 'o', 'n', 'e', '!', 10, 4, 0, 'P', 'X', 'E'}, servers...)
			p.Add(43, append(v, 255)...)
		}
	}
	listed := menu(3, 8, 7, 0x80, 1, 1, 10, 0, 0, 2)
	for name, c := range map[string]client{"BIOS": bios(), "EDK2": edk2(), "iPXE": ipxe()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.serveAddresses()
				l.proxy("10.0.0.2", listed)
				r, err := c.Boot(l.ctx, l.machine(1))
				require.NoError(t, err)
				assert.Equal(t, pxemodel.ViaBootServer, r.Via, "%v", r.Trace)
				assert.Equal(t, "tftp://10.0.0.2/item.nbp", r.URL())
			})
		})
		t.Run(name+" skips it with bit 3", func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.serveAddresses()
				l.proxy("10.0.0.2", menu(11))
				r, err := c.Boot(l.ctx, l.machine(1))
				require.NoError(t, err)
				assert.Equal(t, "tftp://10.0.0.2/boot.nbp", r.URL(), "%v", r.Trace)
			})
		})
	}
}

// TestRaspberryPi shows what it needs: the menu, its text, and for the ROM of
// the Pi 3 the spaces behind it.
func TestRaspberryPi(t *testing.T) {
	t.Parallel()

	menu := func(text string) func(req, p *pxemodel.Packet) {
		return func(_, p *pxemodel.Packet) {
			v := []byte{6, 1, 3, 10, 4, 0, 'P', 'X', 'E', 9, byte(3 + len(text)), 0, 0, byte(len(text))}
			p.Add(43, append(append(v, text...), 255)...)
		}
	}
	const text = "Raspberry Pi Boot"
	for _, tt := range []struct {
		name  string
		rom   bool
		shape func(req, p *pxemodel.Packet)
		boots bool
	}{
		{"loader", false, menu(text), true},
		{"ROM with spaces", true, menu(text + "   "), true},
		{"ROM without spaces", true, menu(text), false},
		{"another text", false, menu("Windows"), false},
		{"no menu", false, direct, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.serveAddresses()
				l.proxy("10.0.0.2", tt.shape)
				r, err := (&pxemodel.RaspberryPi{ROM: tt.rom}).Boot(l.ctx, l.machine(1))
				if !tt.boots {
					requireFailure(t, err, "timeout")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, "10.0.0.2", r.Server.String())
			})
		})
	}
}

// TestUBoot shows that it takes server and file from the proxy if that is
// quick, and from the address server otherwise.
func TestUBoot(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, want string
		delay      time.Duration
	}{
		{"quick", "tftp://10.0.0.2/boot.nbp", 0},
		{"slow", "tftp://10.0.0.1/own.img", time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.address.File, l.address.NextServer = "own.img", l.address.Host.Addr()
				l.serveAddresses()
				l.proxy("10.0.0.2", func(_, _ *pxemodel.Packet) { time.Sleep(tt.delay) })
				r, err := (&pxemodel.UBoot{Machine: pxemodel.Machine{Arch: 22}}).Boot(l.ctx, l.machine(1))
				require.NoError(t, err)
				assert.Equal(t, tt.want, r.URL(), "%v", r.Trace)
			})
		})
	}
}
