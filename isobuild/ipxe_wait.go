package isobuild

import _ "embed"

//go:embed ipxe_wait.ipxe
var ipxeWaitScript string

// IPXEWaitScript returns a script for [IPXE] that boots from whatever boot
// server there is: it asks DHCP servers, as user class pixiecore, until one
// names a boot file, and runs that. What a ProxyDHCP server names comes before
// what the DHCP server does. It asks again every few seconds, and for ever; with
// Esc a user goes on to the next boot device.
func IPXEWaitScript() []byte { return []byte(ipxeWaitScript) }
