package dhcpproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path"
	"time"
)

// An Option changes how a [Server] works. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	log        *slog.Logger
	onEvent    func(Event)
	interfaces []string
	advertise  netip.Addr
	dhcpPort   uint16
	bootPort   uint16
	packet     bool
	unicast    bool
	workers    int
	timeout    time.Duration
	rate       int
	ratePeriod time.Duration
	markers    []string
	vendors    []string
	relays     []netip.Prefix
	loops      int
	loopWindow time.Duration
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		log:        slog.New(slog.DiscardHandler),
		onEvent:    func(Event) {},
		dhcpPort:   67,
		bootPort:   4011,
		workers:    64,
		timeout:    800 * time.Millisecond,
		rate:       20,
		ratePeriod: 10 * time.Second,
		markers:    []string{"Tinkerbell", "pixiecore"},
		loops:      8,
		loopWindow: 10 * time.Minute,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg, cfg.validate()
}

func (c *config) validate() error {
	var errs []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	fault(c.log == nil, "nil logger")
	fault(c.onEvent == nil, "nil event function")
	for _, p := range c.interfaces {
		_, err := path.Match(p, "")
		fault(err != nil || p == "", "interface pattern %q not valid", p)
	}
	fault(c.advertise.IsValid() && !isHost(c.advertise), "advertised address %v not an IPv4 address of a host", c.advertise)
	fault(c.dhcpPort == 0 || c.bootPort == 0 || c.dhcpPort == c.bootPort,
		"ports %d and %d not two different ports", c.dhcpPort, c.bootPort)
	fault(c.unicast && !c.packet, "unicast frames need the packet socket")
	fault(c.workers < 1 || c.workers > 4096, "%d workers not in 1..4096", c.workers)
	fault(c.timeout < time.Millisecond || c.timeout > time.Minute, "handler timeout %v not in 1ms..1m0s", c.timeout)
	fault(c.rate < 0 || c.ratePeriod <= 0, "rate limit of %d packets per %v not valid", c.rate, c.ratePeriod)
	for _, class := range append(append([]string{}, c.markers...), c.vendors...) {
		fault(class == "" || len(class) > 255, "class %q not in 1..255 bytes", class)
	}
	for _, p := range c.relays {
		fault(!p.IsValid() || !p.Addr().Is4(), "relay network %v not an IPv4 prefix", p)
	}
	fault(c.loops < 0 || c.loops == 1 || c.loopWindow <= 0, "loop limit of %d in %v not valid", c.loops, c.loopWindow)
	return errors.Join(errs...)
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) { c.log = l }
}

// WithEventFunc calls fn for each packet, after it was answered or ignored.
// Calls may be concurrent. A slow fn keeps a worker busy, or, for a packet that
// was dropped, the goroutine that reads. The default ignores events.
func WithEventFunc(fn func(Event)) Option {
	return func(c *config) { c.onEvent = fn }
}

// WithInterfaces serves only the interfaces whose names match one of patterns,
// in the form of [path.Match], such as "eth0" or "lab*". Interfaces may come
// and go while the server runs. The default serves all.
func WithInterfaces(patterns ...string) Option {
	return func(c *config) { c.interfaces = patterns }
}

// WithAdvertise names addr as the server's address in every answer: for a
// server behind NAT, in a container, or with a virtual address. The default
// is an address of the interface that a request arrived on, see Request.Server.
func WithAdvertise(addr netip.Addr) Option {
	return func(c *config) { c.advertise = addr }
}

// WithPorts replaces the UDP ports of [Server.ListenAndServe], and which port
// is the boot server's for [Server.Serve]. No firmware asks on other ports, so
// this is for tests and forwarded ports. The default is 67 and 4011.
func WithPorts(dhcp, boot uint16) Option {
	return func(c *config) { c.dhcpPort, c.bootPort = dhcp, boot }
}

// WithPacketSocket makes [Server.ListenAndServe] use [ListenPacket] for port
// 67, so that a DHCP server can run on the same host. It needs Linux and
// CAP_NET_RAW. The default is a UDP socket.
func WithPacketSocket() Option {
	return func(c *config) { c.packet = true }
}

// WithUnicastFrames sends answers to machines that have no address yet in
// Ethernet frames to just that machine, for networks that filter broadcasts
// towards clients. It needs WithPacketSocket. By default such frames are
// broadcast, which every client accepts.
func WithUnicastFrames() Option {
	return func(c *config) { c.unicast = true }
}

// WithWorkers sets how many packets are worked on at the same time, all ports
// together. When all workers are busy, packets are dropped and counted. The
// default is 64; the range is 1 to 4096.
func WithWorkers(n int) Option {
	return func(c *config) { c.workers = n }
}

// WithHandlerTimeout sets how long the [Handler] may take. iPXE waits two
// seconds for an offer in all. The default is 800 ms; the range is 1 ms to one
// minute.
func WithHandlerTimeout(d time.Duration) Option {
	return func(c *config) { c.timeout = d }
}

// WithRateLimit answers at most n packets of one machine in each period, on
// average, and as many in a burst. Zero removes the limit. The default is 20
// in ten seconds.
func WithRateLimit(n int, period time.Duration) Option {
	return func(c *config) { c.rate, c.ratePeriod = n, period }
}

// WithUserClasses sets the user classes (option 77) by which an iPXE shows
// that it is the one that this server handed out, so that it is given its
// script and not the same program again. The default is "Tinkerbell" and
// "pixiecore".
func WithUserClasses(markers ...string) Option {
	return func(c *config) { c.markers = markers }
}

// WithVendorClasses also answers clients whose vendor class (option 60) begins
// with one of prefixes. The default is none: PXEClient and HTTPClient are
// always answered, and U-Boot if option 93 confirms that it is U-Boot.
func WithVendorClasses(prefixes ...string) Option {
	return func(c *config) { c.vendors = prefixes }
}

// WithRelays names the networks behind relay agents. A relayed request is
// answered only if the agent's address is in one of them; any machine of these
// networks may also ask on port 4011. By default every relay agent is answered,
// and a machine that one has passed on may ask on port 4011 for five minutes,
// from wherever it is.
func WithRelays(networks ...netip.Prefix) Option {
	return func(c *config) { c.relays = networks }
}

// WithLoopLimit reports a loop when a machine is offered the same file n times
// within window; see Request.Looping and [EventLoop]. Zero never does. The
// default is 8 times in ten minutes.
func WithLoopLimit(n int, window time.Duration) Option {
	return func(c *config) { c.loops, c.loopWindow = n, window }
}
