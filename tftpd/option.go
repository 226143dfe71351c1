package tftpd

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// An Option changes how a [Server] works. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	log        *slog.Logger
	onTransfer func(Transfer)
	blockSize  int
	window     int
	timeout    time.Duration
	retries    int
	transfers  int
	perClient  int
	grace      time.Duration
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		log:        slog.New(slog.DiscardHandler),
		onTransfer: func(Transfer) {},
		blockSize:  1468, // Ethernet MTU less IPv4, UDP and TFTP headers.
		window:     64,
		timeout:    time.Second,
		retries:    10,
		transfers:  512,
		perClient:  8,
		grace:      10 * time.Second,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg, cfg.validate()
}

func (c *config) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.log != nil, "logger is nil")
	check(c.onTransfer != nil, "transfer function is nil")
	check(c.blockSize >= minBlockSize && c.blockSize <= maxBlockSize,
		"block size %d not in 8..65464 (RFC 2348)", c.blockSize)
	check(c.window >= 1 && c.window <= maxWindow, "window %d not in 1..%d", c.window, maxWindow)
	check(c.timeout >= 10*time.Millisecond && c.timeout <= 255*time.Second, "timeout %v not in 10ms..255s", c.timeout)
	check(c.retries >= 1 && c.retries <= 1000, "retries %d not in 1..1000", c.retries)
	check(c.transfers >= 1, "transfers %d less than 1", c.transfers)
	check(c.perClient >= 1, "transfers per client %d less than 1", c.perClient)
	check(c.grace >= 0, "grace period %v less than 0", c.grace)
	return errors.Join(errs...)
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) { c.log = l }
}

// WithTransferFunc calls fn once for each request that was refused and each
// transfer that ended, well or not. Calls may be concurrent, and fn must return
// at once: requests wait for it. A panic in fn is logged. The default ignores
// them.
func WithTransferFunc(fn func(Transfer)) Option {
	return func(c *config) { c.onTransfer = fn }
}

// WithMaxBlockSize caps the block size a client may negotiate, in bytes. More
// than the path's MTU less 32 makes IP fragments, which much firmware cannot
// put together again. The range is 8 to 65464 (RFC 2348). The default is 1468,
// which fills an Ethernet frame.
func WithMaxBlockSize(n int) Option {
	return func(c *config) { c.blockSize = n }
}

// WithMaxWindow caps the number of blocks a client may ask to be sent between
// two acknowledgements (RFC 7440). The range is 1, which turns windows off, to
// 32767. The default is 64.
func WithMaxWindow(n int) Option {
	return func(c *config) { c.window = n }
}

// WithTimeout sets how long to wait for an acknowledgement, at most, before
// sending again. Once the path's round trip is known, the first wait is shorter,
// and doubles up to d. A client that sets a timeout of its own (RFC 2349) takes
// the place of d for its transfer. The range is 10 ms to 255 s. The default is
// one second.
func WithTimeout(d time.Duration) Option {
	return func(c *config) { c.timeout = d }
}

// WithRetries sets for how many further timeouts a client may stay silent after
// the first, before its transfer is given up. A client that never answered at
// all is sent one repetition only, whatever n is. The range is 1 to 1000. The
// default is 10.
func WithRetries(n int) Option {
	return func(c *config) { c.retries = n }
}

// WithMaxTransfers limits the transfers that run at one time; a request beyond
// that is answered with the error "server busy". The default is 512.
func WithMaxTransfers(n int) Option {
	return func(c *config) { c.transfers = n }
}

// WithMaxTransfersPerClient limits the transfers that run at one time for one
// IP address, likewise. The default is 8.
func WithMaxTransfersPerClient(n int) Option {
	return func(c *config) { c.perClient = n }
}

// WithGracePeriod sets how long running transfers may take to finish once
// Serve is asked to stop. The default is ten seconds.
func WithGracePeriod(d time.Duration) Option {
	return func(c *config) { c.grace = d }
}
