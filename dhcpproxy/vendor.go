package dhcpproxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Tags in option 43 (PXE 2.1, table 2-1).
const (
	tagDiscovery = 6
	tagServers   = 8
	tagMenu      = 9
	tagPrompt    = 10
	tagBootItem  = 71
)

// Values of tag 6.
const (
	discoverUnicast = 0x03 // neither by broadcast nor by multicast
	discoverListed  = 0x04 // only servers of tag 8
	loadFile        = 0x08 // load the boot file: no prompt, no menu, no port 4011
)

// vendorOptions returns the contents of option 43 with its END, or nothing.
// Old ROMs read past the end if there is no END.
func vendorOptions(req *Request, o *Offer) ([]byte, error) {
	var b []byte
	switch {
	case req.Client == ClientHTTP:
		return nil, nil
	case o.Options[optionVendor] != nil:
		b = append(b, o.Options[optionVendor]...)
		if b[len(b)-1] == optionEnd {
			return b, nil
		}
	case req.Client == ClientRaspberryPi:
		b = raspberryPiMenu(req)
	case o.Menu != nil && req.BootItem == nil:
		menu, err := menuOptions(req, o)
		if err != nil {
			return nil, err
		}
		b = menu
	case req.Client == ClientBIOS, req.Client.IPXE(),
		req.Client == ClientUEFI && o.Direct && req.discover:
		b = append(b, tagDiscovery, 1, loadFile)
	}
	if item := req.BootItem; item != nil {
		b = append(b, tagBootItem, 4)
		b = binary.BigEndian.AppendUint16(b, item.Type)
		b = binary.BigEndian.AppendUint16(b, item.Layer)
	}
	if len(b) == 0 {
		return nil, nil
	}
	if b = append(b, optionEnd); len(b) > 255 {
		return nil, fmt.Errorf("option 43 has %d bytes, over 255", len(b))
	}
	return b, nil
}

// raspberryPiMenu is what a Pi looks for to know its server. The boot ROM of
// the Pi 3, which has no EEPROM, misreads the text's length unless three
// spaces follow.
func raspberryPiMenu(req *Request) []byte {
	text := "Raspberry Pi Boot"
	if [3]byte(req.MAC) == [3]byte{0xb8, 0x27, 0xeb} {
		text += "   "
	}
	b := []byte{tagDiscovery, 1, discoverUnicast, tagPrompt, 4, 0, 'P', 'X', 'E'}
	b = append(b, tagMenu, byte(3+len(text)), 0, 0, byte(len(text)))
	return append(b, text...)
}

// menuOptions encodes o.Menu.
func menuOptions(req *Request, o *Offer) ([]byte, error) {
	if err := o.Menu.validate(); err != nil {
		return nil, err
	}
	var servers, items []byte
	for _, item := range o.Menu.Items {
		addrs := item.Servers
		if len(addrs) == 0 {
			addrs = append(addrs, o.serverFor(req))
		}
		servers = binary.BigEndian.AppendUint16(servers, item.Type)
		servers = append(servers, byte(len(addrs)))
		for _, a := range addrs {
			servers = append(servers, a.AsSlice()...)
		}
		items = binary.BigEndian.AppendUint16(items, item.Type)
		items = append(append(items, byte(len(item.Text))), item.Text...)
	}
	seconds := byte(255)
	if o.Menu.Timeout >= 0 {
		seconds = byte(o.Menu.Timeout / time.Second)
	}
	b := []byte{tagDiscovery, 1, discoverUnicast | discoverListed}
	b = append(append(b, tagPrompt, byte(1+len(o.Menu.Prompt)), seconds), o.Menu.Prompt...)
	if len(servers) > 255 || len(items) > 255 {
		return nil, errors.New("menu too long for option 43")
	}
	b = append(append(b, tagServers, byte(len(servers))), servers...)
	return append(append(b, tagMenu, byte(len(items))), items...), nil
}

func (m *Menu) validate() error {
	switch {
	case len(m.Items) == 0:
		return errors.New("menu without items")
	case len(m.Prompt) > 100:
		return fmt.Errorf("menu prompt of %d bytes, over 100", len(m.Prompt))
	case m.Timeout > 254*time.Second:
		return fmt.Errorf("menu timeout %v over 4m14s", m.Timeout)
	}
	for _, item := range m.Items {
		if item.Text == "" || len(item.Text) > 100 {
			return fmt.Errorf("menu text of %d bytes not in 1..100", len(item.Text))
		}
		for _, a := range item.Servers {
			if !a.Is4() {
				return fmt.Errorf("menu server %v not an IPv4 address", a)
			}
		}
	}
	return nil
}
