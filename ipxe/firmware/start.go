package firmware

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed start.ipxe
var startTemplate string

// nextServer is the setting that says who sent the program, if a ProxyDHCP
// server named it.
const nextServer = "${proxydhcp/next-server}"

// StartScript returns the script that the embedded UEFI programs run when they
// start. Its first way is short: firmware that loaded the program by PXE has a
// lease already and hands it on, so the script fetches url at once. This url
// may use iPXE's settings, among them
//
//	${proxydhcp/next-server}  who sent the program, an address
//	${netX/mac}               the card that it came through, as 02:00:00:00:00:01
//	${uuid}, ${buildarch}     the machine
//
// so that one script serves many machines and several servers. It must hold no
// space and no control character; an empty url leaves this way out.
//
// The second way is taken when the first is closed: after UEFI HTTP boot, which
// hands on no lease, or when nothing answers at url. The script then asks DHCP
// servers as [UserClass] and runs the script that they name as boot file, up
// to five times with growing pauses, ten seconds in all. It gives up with exit,
// upon which the firmware goes on to its next boot device.
func StartScript(url string) ([]byte, error) {
	for _, r := range url {
		if r <= ' ' || r > '~' {
			return nil, fmt.Errorf("firmware: script URL: %q must be written as %%%02X", r, r)
		}
	}
	if strings.HasPrefix(url, "-") {
		return nil, errors.New("firmware: script URL: iPXE takes it for an option")
	}
	short := "goto dhcp"
	if url != "" {
		short = "chain --replace --autofree " + url + " ||"
	}
	if strings.Contains(url, nextServer) {
		short = "isset " + nextServer + " || goto dhcp\n" + short
	}
	return []byte(strings.Replace(startTemplate, "@SHORT@", short, 1)), nil
}
