package ipxe

import (
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxField bounds what a machine says about itself, in bytes: SMBIOS strings
// are at most 64 characters in practice.
const maxField = 128

// A Machine is what a machine says about itself when it asks for its script.
// Nothing of it is proven: whoever can send a request can claim to be any
// machine. All but MAC may be zero.
type Machine struct {
	MAC          net.HardwareAddr // six bytes
	UUID         [16]byte         // SMBIOS UUID in the order in which it is written
	Arch         string           // iPXE's ${buildarch}: "i386", "x86_64", "arm64", …
	Platform     string           // iPXE's ${platform}: "pcbios" or "efi"
	Serial       string           // system serial number
	Asset        string           // asset tag
	Manufacturer string           // system manufacturer
	Product      string           // system product name
}

// parseMachine reads the query of a request for a script.
func parseMachine(q url.Values) (*Machine, error) {
	mac, err := parseMAC(q.Get("mac"))
	if err != nil {
		return nil, err
	}
	m := &Machine{
		MAC:          mac,
		Arch:         field(q, "arch"),
		Platform:     field(q, "platform"),
		Serial:       field(q, "serial"),
		Asset:        field(q, "asset"),
		Manufacturer: field(q, "manufacturer"),
		Product:      field(q, "product"),
	}
	if s := q.Get("uuid"); s != "" {
		if m.UUID, err = parseUUID(s); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// field returns a text of q, or "" if it is not plain text: firmware that
// holds rubbish in one field must not keep its machine from booting.
func field(q url.Values, key string) string {
	s := strings.TrimSpace(q.Get(key))
	if len(s) > maxField || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

// parseMAC reads a MAC address with colons or dashes.
func parseMAC(s string) (net.HardwareAddr, error) {
	if len(s) != 17 {
		return nil, errors.New("ipxe: want a MAC address of six bytes")
	}
	mac, err := net.ParseMAC(s)
	if err != nil || len(mac) != 6 {
		return nil, errors.New("ipxe: want a MAC address of six bytes")
	}
	return mac, nil
}

// parseUUID reads a UUID in its usual form of 36 characters.
func parseUUID(s string) (u [16]byte, err error) {
	digits := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(digits) != 32 {
		return u, errors.New("ipxe: want a UUID of 36 characters")
	}
	if _, err := hex.Decode(u[:], []byte(digits)); err != nil {
		return [16]byte{}, errors.New("ipxe: want a UUID of 36 characters")
	}
	return u, nil
}

// ScriptURL returns the address of m's script at the handler that is reached
// under base, such as "http://192.0.2.1:8090". It fits DHCP's 127 bytes as
// long as only MAC, UUID and Arch are set.
func ScriptURL(base string, m *Machine) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(base, "/") + "/_/ipxe?mac=" + m.MAC.String())
	for _, f := range [][2]string{
		{"arch", m.Arch},
		{"uuid", formatUUID(m.UUID)},
		{"platform", m.Platform},
		{"serial", m.Serial},
		{"asset", m.Asset},
		{"manufacturer", m.Manufacturer},
		{"product", m.Product},
	} {
		if f[1] != "" {
			b.WriteString("&" + f[0] + "=" + url.QueryEscape(f[1]))
		}
	}
	return b.String()
}

// formatUUID returns u in its usual form, or "" if it is zero.
func formatUUID(u [16]byte) string {
	if u == [16]byte{} {
		return ""
	}
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
