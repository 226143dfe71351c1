package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/cloudconfig"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/source"
	"github.com/netbootkit/netbootkit/ipxe"
)

// A config is the command line, checked for what can be told without looking
// at the machine.
type config struct {
	// What to boot.
	kernel      string
	initrd      cli.Strings
	cmdline     string
	message     string
	cloudConfig string
	set         cli.Strings
	values      cloudconfig.Values // from set
	root        string
	table       string
	api         string
	apiTimeout  time.Duration
	apiFiles    bool
	once        string
	local       ipxe.LocalBoot
	iso         string
	from        source.Flags

	// Where and how.
	interfaces cli.Strings
	relays     prefixes
	listen     netip.Addr
	advertise  netip.Addr
	baseURL    string
	dhcpPort   uint
	pxePort    uint
	tftpPort   uint
	httpPort   uint
	packet     bool
	direct     bool
	keyFile    string
	cert       string
	certKey    string
	firmware   string
	autoexec   bool

	// What to say.
	logFormat string
	debug     bool
	check     bool
	explain   string
}

const usageText = `Netboot boots machines over the network, beside the DHCP server that is there.

	netboot -kernel K -initrd I [-initrd I2] -cmdline '… {{ ID "root.squashfs" }} …' [-cloud-config F]
	netboot boot KERNEL [INITRD…] [-cmdline '…']     the same, as pixiecore has it
	netboot -iso FILE [-cloud-config F]              the live system of an ISO, out of the ISO
	netboot -repository kairos-io/kairos -flavor F … that of a release of Kairos, fetched and verified
	netboot -table machines.yaml                     each machine by its address, UUID, serial number or architecture
	netboot -api URL   or   netboot api URL          ask a server that speaks pixiecore's API
	netboot -check                                   what may keep machines from booting here
	netboot -explain FILE [flags as above]           what a captured request would be answered, and why

In a command line {{ ID "file" }} becomes the URL of a file, and {{ URL "http://…" }} one of a file from elsewhere.

`

// parseConfig reads the command line. Help goes to stdout.
func parseConfig(args []string, stdout io.Writer) (*config, error) {
	c := &config{listen: netip.IPv4Unspecified()}
	flags := cli.Flags("netboot", usageText)
	c.bootFlags(flags)
	c.serverFlags(flags)
	c.pixiecoreFlags(flags)
	words, err := cli.Parse(flags, args, stdout)
	if err != nil {
		return nil, err
	}
	if err := c.take(words); err != nil {
		return nil, err
	}
	return c, c.validate()
}

func (c *config) bootFlags(f *flag.FlagSet) {
	f.StringVar(&c.kernel, "kernel", "", "`file` to boot every machine with")
	f.Var(&c.initrd, "initrd", "initial ramdisk `file`; may be given more than once")
	f.StringVar(&c.iso, "iso", "", "ISO `file` whose live system to boot every machine with")
	f.StringVar(&c.from.Dir, "store", "", "keep what is fetched of a release in this `folder` (default: netbootkit in the user's cache)")
	c.from.RegisterRelease(f)
	f.StringVar(&c.cmdline, "cmdline", "", "kernel command line `template`")
	f.StringVar(&c.message, "message", "", "`text` that machines show before they boot")
	f.StringVar(&c.cloudConfig, "cloud-config", "", "`file` served as it is, or rendered if there is -set; its URL is added to the command line as config_url= unless that names one")
	f.Var(&c.set, "set", "`name=value` that [[ .name ]] in the cloud config stands for, such as github.user=mudler; may be given more than once")
	f.StringVar(&c.root, "root", "", "`directory` that file names are relative to, the same on servers that share a key (default: the current one, and absolute names work)")
	f.StringVar(&c.table, "table", "", "YAML `file` of machines and what each boots")
	f.StringVar(&c.api, "api", "", "`URL` of a server that speaks pixiecore's API")
	f.DurationVar(&c.apiTimeout, "api-request-timeout", 5*time.Second, "how long an API request may take")
	f.BoolVar(&c.apiFiles, "api-allow-files", false, "let the API name files of this host (file://)")
	f.StringVar(&c.once, "once", "", "boot each machine from the network once, then from its disk; a file in `directory` for each that did; remove it to arm the machine again")
	f.TextVar(&c.local, "local-boot", ipxe.LocalExit, "`how` -once sends a machine to its disk: exit, sanboot or not-found")
}

func (c *config) serverFlags(f *flag.FlagSet) {
	f.Var(&c.interfaces, "interface", "network `interface` to serve; may be given more than once (default all)")
	f.Var(&c.relays, "relay", "answer only relay agents in `network`, such as 10.1.0.0/16; may be given more than once (default all)")
	f.TextVar(&c.listen, "listen", c.listen, "`address` that TFTP and HTTP listen on")
	f.TextVar(&c.advertise, "advertise", netip.Addr{}, "`address` that machines are told, behind NAT or for a virtual address (default that of the interface)")
	f.StringVar(&c.baseURL, "base-url", "", "`URL` of this server's HTTP service as machines reach it (default http://ADDRESS:PORT)")
	f.UintVar(&c.dhcpPort, "dhcp-port", 67, "UDP `port` of DHCP")
	f.UintVar(&c.pxePort, "pxe-port", 4011, "UDP `port` of the PXE boot server")
	f.UintVar(&c.tftpPort, "tftp-port", 69, "UDP `port` of TFTP; ROMs know only 69")
	f.UintVar(&c.httpPort, "http-port", 8090, "TCP `port` of HTTP")
	f.BoolVar(&c.packet, "packet", false, "receive DHCP through packet sockets, beside a DHCP server on this host (Linux)")
	f.BoolVar(&c.direct, "direct", false, "tell UEFI its boot program at once instead of on port 4011")
	f.StringVar(&c.keyFile, "key-file", "", "`file` with the key that signs links, shared by servers that stand in for one another (default a new key at each start)")
	f.StringVar(&c.cert, "cert", "", "certificate `file` (PEM) for HTTPS")
	f.StringVar(&c.certKey, "cert-key", "", "private key `file` (PEM) for HTTPS")
	f.StringVar(&c.firmware, "firmware", "", "`directory` of boot programs that take the place of the embedded ones")
	f.BoolVar(&c.autoexec, "autoexec", false, "serve autoexec.ipxe, for boot programs of -firmware that have no script of their own")
	f.StringVar(&c.logFormat, "log-format", "text", "`format` of the log: text or json")
	f.BoolVar(&c.debug, "debug", false, "log every packet and why it was ignored")
	f.BoolVar(&c.check, "check", false, "look at ports, interfaces and other boot servers, say what was found, and end")
	f.StringVar(&c.explain, "explain", "", "say what the requests in `file` (tcpdump -w, raw bytes or hex) would be answered, and end")
}

// pixiecoreFlags are further names of flags above.
func (c *config) pixiecoreFlags(f *flag.FlagSet) {
	f.StringVar(&c.message, "bootmsg", "", "the same as -message")
	f.UintVar(&c.httpPort, "port", 8090, "the same as -http-port")
	f.UintVar(&c.httpPort, "p", 8090, "the same as -http-port")
	f.TextVar(&c.listen, "listen-addr", c.listen, "the same as -listen")
	f.TextVar(&c.listen, "l", c.listen, "the same as -listen")
	f.BoolVar(&c.packet, "dhcp-no-bind", false, "the same as -packet")
	f.BoolVar(&c.debug, "d", false, "the same as -debug")
	f.Bool("log-timestamps", true, "accepted for pixiecore's sake: lines always have the time")
	f.Bool("t", true, "accepted for pixiecore's sake: lines always have the time")
}

// take reads the words that are not flags: pixiecore's commands.
func (c *config) take(words []string) error {
	if len(words) == 0 {
		return nil
	}
	command, words := words[0], words[1:]
	switch {
	case command == "boot" && len(words) > 0 && c.kernel == "":
		c.kernel, c.initrd = words[0], append(c.initrd, words[1:]...)
	case command == "boot":
		return cli.Usagef("boot needs a kernel and takes it either as its first word or from -kernel")
	case command == "api" && len(words) == 1 && c.api == "":
		c.api = words[0]
	case command == "api":
		return cli.Usagef("api needs one URL, got %d words", len(words))
	default:
		return cli.Usagef("%q is not a command; there are boot and api", command)
	}
	return nil
}

// medium reports whether a live system is booted, of an ISO or of a release.
func (c *config) medium() bool { return c.iso != "" || c.from.Release.Repository != "" }

func (c *config) validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	var sources []string
	for _, s := range []struct{ name, value string }{{"-kernel", c.kernel}, {"-iso", c.iso}, {"-repository", c.from.Release.Repository}, {"-table", c.table}, {"-api", c.api}} {
		if s.value != "" {
			sources = append(sources, s.name)
		}
	}
	switch {
	case len(sources) > 1:
		fault("%s exclude one another: each says what machines boot", strings.Join(sources, " and "))
	case len(sources) == 0 && !c.check:
		fault("nothing to boot: give -kernel, -iso, -repository, -table or -api")
	}
	if c.kernel == "" && len(c.initrd) > 0 {
		fault("-initrd belongs to -kernel")
	}
	if c.kernel == "" && !c.medium() && (c.cmdline != "" || c.cloudConfig != "" || c.message != "") {
		fault("-cmdline, -cloud-config and -message belong to -kernel, -iso or -repository")
	}
	if release := c.from.Release; release.Repository == "" && release != (github.Release{}) {
		errs = append(errs, errNoMedium)
	}
	for _, pair := range c.set { // Package flag would show the value that it refuses.
		if err := c.values.Set(pair); err != nil {
			fault("-set: %w", err)
		}
	}
	if c.cloudConfig == "" && len(c.set) > 0 {
		fault("-set is for -cloud-config, which is not there")
	}
	for _, p := range []struct {
		name string
		port uint
	}{{"-dhcp-port", c.dhcpPort}, {"-pxe-port", c.pxePort}, {"-tftp-port", c.tftpPort}, {"-http-port", c.httpPort}} {
		if p.port == 0 || p.port > 65535 {
			fault("%s %d not in 1..65535", p.name, p.port)
		}
	}
	if c.advertise.IsValid() && !c.advertise.Is4() {
		fault("-advertise %v is not an IPv4 address, which is what DHCP can tell", c.advertise)
	}
	if u, err := url.Parse(c.baseURL); c.baseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		fault("-base-url %q is not an http or https URL", c.baseURL)
	}
	if (c.cert == "") != (c.certKey == "") {
		fault("-cert and -cert-key need each other")
	}
	if c.autoexec && c.firmware == "" {
		fault("-autoexec is for the boot programs of -firmware: the embedded ones have a script of their own")
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		fault("-log-format %q is neither text nor json", c.logFormat)
	}
	for _, file := range []string{c.keyFile, c.cert, c.certKey, c.table, c.explain} {
		if _, err := os.Stat(file); file != "" && err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &cli.UsageError{Err: err}
	}
	return nil
}

// prefixes is a flag of networks that may be given more than once.
type prefixes []netip.Prefix

// String implements [flag.Value].
func (p *prefixes) String() string { return fmt.Sprint([]netip.Prefix(*p)) }

// Set implements [flag.Value].
func (p *prefixes) Set(s string) error {
	network, err := netip.ParsePrefix(s)
	if err != nil || !network.Addr().Is4() {
		return errors.New("want an IPv4 network such as 10.1.0.0/16")
	}
	*p = append(*p, network.Masked())
	return nil
}
