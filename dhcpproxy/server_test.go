package dhcpproxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// asking returns a DISCOVER from machine n.
func asking(n byte) []byte {
	return discover(pxeX64, 7).with(func(r *request) { r.mac = net.HardwareAddr{2, 0, 0, 0, 0, n} }).bytes()
}

// put gives the server a packet without waiting for what becomes of it.
func (c *memoryConn) put(payload []byte) { c.in <- datagram{payload: payload, path: onPort67} }

func TestServerServeWhenHandlerSlow(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		slow := dhcpproxy.HandlerFunc(func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			switch req.MAC[5] {
			case 1: // Ignores its context.
				time.Sleep(5 * time.Second)
			case 2: // Heeds it.
				<-ctx.Done()
				return nil, context.Cause(ctx)
			case 3: // Just in time.
				time.Sleep(799 * time.Millisecond)
			}
			return &dhcpproxy.Offer{BootFile: "ipxe.efi"}, nil
		})
		e := make(events, 10)
		srv, conn := serve(t, slow, e.option(), dhcpproxy.WithWorkers(4))
		start := time.Now()
		for n := range byte(4) {
			conn.put(asking(n + 1))
		}

		ev := <-e
		assert.Equal(t, byte(4), ev.MAC[5], "the quick one is not delayed")
		assert.Zero(t, time.Since(start))
		ev = <-e
		assert.Equal(t, byte(3), ev.MAC[5])
		assert.Equal(t, dhcpproxy.EventOffer, ev.Kind)
		for range 2 {
			ev = <-e
			assert.Equal(t, dhcpproxy.ReasonHandlerTimeout, ev.Reason)
			assert.Equal(t, 800*time.Millisecond, ev.Duration)
			assert.Equal(t, 800*time.Millisecond, time.Since(start))
			var err *dhcpproxy.Error
			require.ErrorAs(t, ev.Err, &err)
			assert.Equal(t, "handle", err.Op)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Len(t, conn.out, 2, "what comes late is not sent")
		assert.Empty(t, e, "and not reported twice")
		assert.Equal(t, uint64(2), srv.Stats().Ignored[dhcpproxy.ReasonHandlerTimeout])
	})
}

func TestServerServeWhenAllWorkersBusy(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := dhcpproxy.HandlerFunc(func(context.Context, *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			<-release
			return nil, nil
		})
		e := make(events, 100)
		srv, conn := serve(t, stuck, e.option(), dhcpproxy.WithWorkers(8))
		before := runtime.NumGoroutine()
		for n := range byte(50) {
			conn.put(asking(n))
		}
		synctest.Wait()
		assert.LessOrEqual(t, runtime.NumGoroutine()-before, 8+2, "no goroutine per packet")
		assert.Equal(t, map[dhcpproxy.Reason]uint64{dhcpproxy.ReasonBusy: 42}, srv.Stats().Ignored)
		for range 42 {
			ev := <-e
			assert.Equal(t, dhcpproxy.ReasonBusy, ev.Reason)
			assert.Len(t, ev.MAC, 6)
		}
		time.Sleep(time.Second) // All were cut off, and still occupy their workers.
		conn.put(asking(60))
		synctest.Wait()
		assert.Equal(t, uint64(43), srv.Stats().Ignored[dhcpproxy.ReasonBusy])
		close(release)
		synctest.Wait()
		conn.put(asking(61))
		synctest.Wait()
		assert.Equal(t, uint64(1), srv.Stats().Ignored[dhcpproxy.ReasonDeclined], "the workers are back")
	})
}

func TestServerServeReturnsNilWhenContextDone(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		defer close(forever)
		h := dhcpproxy.HandlerFunc(func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			if req.MAC[5] == 1 {
				<-forever
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		srv, err := dhcpproxy.NewServer(h)
		require.NoError(t, err)
		conn := newMemoryConn()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- srv.Serve(ctx, conn) }()
		conn.put(asking(1))
		conn.put(asking(2))
		synctest.Wait()
		cancel()
		start := time.Now()
		require.NoError(t, <-done)
		assert.LessOrEqual(t, time.Since(start), time.Second, "a handler that hangs holds nobody up")
		synctest.Wait()
		assert.Equal(t, uint64(1), srv.Stats().Ignored[dhcpproxy.ReasonShutdown])
	})
}

func TestServerServeWhenHandlerFails(t *testing.T) {
	t.Parallel()

	h := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		switch req.MAC[5] {
		case 1:
			panic("oh")
		case 2:
			return nil, errors.New("no database")
		case 3:
			return nil, fmt.Errorf("on holiday: %w", dhcpproxy.ErrDeclined)
		default:
			return &dhcpproxy.Offer{BootFile: "ipxe.efi"}, nil
		}
	})
	var log bytes.Buffer
	e := make(events, 10)
	srv, conn := serve(t, h, e.option(), dhcpproxy.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for n, want := range map[byte]dhcpproxy.Reason{
		1: dhcpproxy.ReasonHandlerPanic, 2: dhcpproxy.ReasonHandlerError,
		3: dhcpproxy.ReasonDeclined, 4: dhcpproxy.ReasonNone,
	} {
		ev, _ := conn.send(t, e, asking(n), onPort67)
		assert.Equal(t, want, ev.Reason)
		assert.Equal(t, want != dhcpproxy.ReasonNone, ev.Err != nil)
	}
	assert.Equal(t, map[dhcpproxy.Reason]uint64{
		dhcpproxy.ReasonHandlerPanic: 1, dhcpproxy.ReasonHandlerError: 1, dhcpproxy.ReasonDeclined: 1,
	}, srv.Stats().Ignored)
	assert.Contains(t, log.String(), `msg="handler panicked" mac=02:00:00:00:00:01 panic=oh stack=`)
	assert.Contains(t, log.String(), `error="dhcpproxy: handle for 02:00:00:00:00:02: no database"`)
	assert.NotContains(t, log.String(), "on holiday", "silence is not news")
}

func TestServerServeWhenEventFuncPanics(t *testing.T) {
	t.Parallel()

	calls := make(chan byte, 10)
	srv, conn := serve(t, program("ipxe.efi"), dhcpproxy.WithEventFunc(func(ev dhcpproxy.Event) {
		calls <- ev.MAC[5]
		panic("in the event function")
	}))
	conn.put(asking(1))
	conn.put(asking(2))
	assert.Equal(t, 3, int(<-calls)+int(<-calls))
	assert.Eventually(t, func() bool { return srv.Stats().Panics == 2 }, 5*time.Second, time.Millisecond)
	assert.Equal(t, uint64(2), srv.Stats().Offers)
}

func TestServerServeWhenRateLimited(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		srv, conn := serve(t, program("ipxe.efi"), e.option(), dhcpproxy.WithRateLimit(5, 10*time.Second))
		answered := func(n byte) bool {
			ev, d := conn.send(t, e, asking(n), onPort67)
			assert.Equal(t, d == nil, ev.Reason == dhcpproxy.ReasonRateLimited)
			return d != nil
		}
		for range 5 {
			assert.True(t, answered(1))
		}
		assert.False(t, answered(1))
		assert.True(t, answered(2), "others are not concerned")
		time.Sleep(1999 * time.Millisecond)
		assert.False(t, answered(1))
		time.Sleep(2 * time.Millisecond)
		assert.True(t, answered(1), "one more every two seconds")
		assert.False(t, answered(1))
		assert.Equal(t, uint64(3), srv.Stats().Ignored[dhcpproxy.ReasonRateLimited])
	})
}

func TestServerServeWhenMachineLoops(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var seen []int
		h := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			seen = append(seen, req.Repeats)
			assert.Equal(t, req.Repeats >= 3, req.Looping)
			if req.Hostname != "" {
				return &dhcpproxy.Offer{BootFile: req.Hostname}, nil
			}
			return &dhcpproxy.Offer{BootFile: "ipxe.efi"}, nil
		})
		var log bytes.Buffer
		e := make(events, 10)
		srv, conn := serve(t, h, e.option(), dhcpproxy.WithLoopLimit(3, 10*time.Minute),
			dhcpproxy.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		ask := func(xid uint32, change ...func(*request)) {
			r := discover(pxeX64, 7).with(func(r *request) { r.xid = xid })
			for _, c := range change {
				c(r)
			}
			ev, d := conn.send(t, e, r.bytes(), onPort67)
			require.NotNil(t, d, "%+v", ev)
			assert.Equal(t, dhcpproxy.EventOffer, ev.Kind)
			synctest.Wait()
		}
		ask(1)
		time.Sleep(4 * time.Second)
		ask(1) // A retransmission.
		time.Sleep(20 * time.Second)
		ask(2)
		ask(3, func(r *request) { r.setString(77, "iPXE") }) // Another kind of client.
		assert.Empty(t, e)
		time.Sleep(20 * time.Second)
		ask(3)
		require.Len(t, e, 1)
		ev := <-e
		assert.Equal(t, dhcpproxy.EventLoop, ev.Kind)
		assert.Equal(t, 3, ev.Repeats)
		assert.Equal(t, "ipxe.efi", ev.BootFile)
		assert.Contains(t, log.String(), `level=WARN msg="machine asks for the same file again and again" mac=52:54:00:12:34:56`)
		time.Sleep(20 * time.Second)
		ask(4)
		assert.Empty(t, e, "one report is enough")
		ask(5, func(r *request) { r.setString(12, "other.efi") })
		ask(6)
		time.Sleep(10*time.Minute + time.Second)
		ask(6)
		assert.Equal(t, []int{0, 1, 1, 0, 2, 3, 4, 1, 0}, seen)
		assert.Equal(t, uint64(1), srv.Stats().Loops)
	})
}

func TestServerServeWhenROMLoopsWithOneTransactionID(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		srv, conn := serve(t, program("pxelinux.0"), e.option(), dhcpproxy.WithLoopLimit(4, 10*time.Minute))
		for range 4 {
			_, d := conn.send(t, e, discover(pxeBIOS, 0).bytes(), onPort67)
			require.NotNil(t, d)
			time.Sleep(time.Minute)
		}
		assert.Equal(t, uint64(1), srv.Stats().Loops)
	})
}

func TestServerServeWhenReadFails(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		srv, conn := serve(t, program("ipxe.efi"), e.option())
		for range 12 {
			conn.in <- datagram{err: errors.New("network is down")}
		}
		ev, d := conn.send(t, e, asking(1), onPort67)
		assert.NotNil(t, d, "%+v", ev)
		assert.Equal(t, uint64(12), srv.Stats().ReadErrors)
		assert.Equal(t, uint64(1), srv.Stats().Received)
	})
}

func TestServerServeWhenReadFailsForGood(t *testing.T) {
	t.Parallel()

	down := errors.New("network is down")
	for _, tt := range []struct {
		name  string
		err   error
		tries int
	}{{"closed", net.ErrClosed, 1}, {"broken", down, 31}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				srv, err := dhcpproxy.NewServer(program("ipxe.efi"))
				require.NoError(t, err)
				conn := newMemoryConn()
				done := make(chan error)
				go func() { done <- srv.Serve(t.Context(), conn) }()
				start := time.Now()
				for range tt.tries {
					conn.in <- datagram{err: tt.err}
				}
				err = <-done
				require.ErrorIs(t, err, tt.err)
				assert.True(t, strings.HasPrefix(err.Error(), "dhcpproxy: read: "))
				assert.Less(t, time.Since(start), 30*time.Second)
				assert.True(t, tt.tries == 1 || time.Since(start) > 10*time.Second, "it is patient")
			})
		})
	}
}

func TestServerServeWhenSendFails(t *testing.T) {
	t.Parallel()

	e := make(events, 10)
	srv, conn := serve(t, program("ipxe.efi"), e.option())
	via := onPort4011
	via.Remote = netip.AddrPort{} // The answer has nowhere to go.
	ev, _ := conn.send(t, e, discover(pxeX64, 7).set(53, 3).bytes(), via)
	assert.Equal(t, dhcpproxy.ReasonSendFailed, ev.Reason)
	require.Error(t, ev.Err)
	assert.Equal(t, uint64(1), srv.Stats().Ignored[dhcpproxy.ReasonSendFailed])
}

func TestServerServeWhenAddressMoves(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		_, conn := serve(t, program("ipxe.efi"), e.option(), dhcpproxy.WithAdvertise(netip.MustParseAddr("192.0.3.1")))
		_, d := conn.send(t, e, asking(1), onPort67)
		require.NotNil(t, d)
		assert.Equal(t, "192.0.3.1:67", d.path.Local.String())

		conn.lost = netip.MustParseAddr("192.0.3.1") // Another host has the virtual address now.
		ev, d := conn.send(t, e, asking(2), onPort67)
		require.NotNil(t, d, "%+v", ev)
		assert.Equal(t, "192.0.2.1:67", d.path.Local.String(), "the source is an address that is left")
		assert.Equal(t, "192.0.3.1", parseReply(d.payload).sname(), "what is advertised stays")

		conn.lost = netip.Addr{} // And back, known by what is sent to it.
		time.Sleep(110 * time.Millisecond)
		via := onPort4011
		via.Local = netip.MustParseAddrPort("192.0.3.1:4011")
		ev, d = conn.send(t, e, discover(pxeX64, 7).set(53, 3).bytes(), via)
		require.NotNil(t, d, "%+v", ev)
		assert.Equal(t, via.Local, d.path.Local)
	})
}

func TestServerServeLogsWhatItIgnores(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	e := make(events, 10)
	_, conn := serve(t, chainload(), e.option(),
		dhcpproxy.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	conn.send(t, e, discover("MSFT 5.0", 7).bytes(), onPort67)
	assert.Contains(t, log.String(), `level=DEBUG msg="packet ignored" mac=52:54:00:12:34:56 client=uefi arch=x64-efi interface=lab0 peer=0.0.0.0:68 port=67 reason=vendor_class`)
	log.Reset()
	conn.send(t, e, nil, onPort67)
	assert.Contains(t, log.String(), `reason=malformed`)
	log.Reset()
	conn.send(t, e, discover(pxeX64, 7).bytes(), onPort67)
	assert.Contains(t, log.String(), `level=INFO msg="offer sent" mac=52:54:00:12:34:56 client=uefi arch=x64-efi interface=lab0 peer=0.0.0.0:68 port=67 server=192.0.2.1 file=52:54:00:12:34:56/ipxe.efi`)
}

func TestServerServeMachineIntroducedByRelay(t *testing.T) {
	t.Parallel()

	relayed := discover(pxeX64, 7).with(func(r *request) { r.giaddr = [4]byte{10, 1, 0, 1} }).bytes()
	question := discover(pxeX64, 7).set(53, 3).bytes()
	fromAfar := onPort4011
	fromAfar.Remote = netip.MustParseAddrPort("10.1.2.3:4011")
	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		_, conn := serve(t, chainload(), e.option())
		ev, _ := conn.send(t, e, question, fromAfar)
		require.Equal(t, dhcpproxy.ReasonSource, ev.Reason, "nobody has introduced it")

		ev, _ = conn.send(t, e, relayed, onPort67)
		require.Equal(t, dhcpproxy.EventOffer, ev.Kind)
		ev, d := conn.send(t, e, question, fromAfar)
		require.Equal(t, dhcpproxy.EventAck, ev.Kind)
		assert.Equal(t, fromAfar.Remote, d.path.Remote)

		time.Sleep(5 * time.Minute)
		ev, _ = conn.send(t, e, question, fromAfar)
		require.Equal(t, dhcpproxy.ReasonSource, ev.Reason, "that was long ago")
	})
}

func TestServerServeManyAtOnce(t *testing.T) {
	t.Parallel()

	srv, err := dhcpproxy.NewServer(chainload(), dhcpproxy.WithRateLimit(0, time.Second))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var serving, clients sync.WaitGroup
	const each = 200
	for range 2 { // As for ports 67 and 4011.
		conn := newMemoryConn()
		serving.Go(func() { assert.NoError(t, srv.Serve(ctx, conn)) })
		clients.Go(func() {
			for n := range each {
				conn.put(asking(byte(n)))
				<-conn.out
			}
		})
	}
	clients.Wait()
	cancel()
	serving.Wait()
	st := srv.Stats()
	assert.Equal(t, uint64(2*each), st.Received)
	assert.Equal(t, uint64(2*each), st.Offers)
	assert.Empty(t, st.Ignored)
}

func TestNewServerErrors(t *testing.T) {
	t.Parallel()

	_, err := dhcpproxy.NewServer(nil)
	require.EqualError(t, err, "dhcpproxy: nil Handler")

	_, err = dhcpproxy.NewServer(chainload(),
		dhcpproxy.WithLogger(nil), dhcpproxy.WithEventFunc(nil), dhcpproxy.WithInterfaces("eth[", ""),
		dhcpproxy.WithAdvertise(netip.MustParseAddr("2001:db8::1")), dhcpproxy.WithPorts(67, 67),
		dhcpproxy.WithUnicastFrames(), dhcpproxy.WithWorkers(0), dhcpproxy.WithHandlerTimeout(time.Hour),
		dhcpproxy.WithRateLimit(-1, 0), dhcpproxy.WithUserClasses(""), dhcpproxy.WithVendorClasses(strings.Repeat("x", 256)),
		dhcpproxy.WithRelays(netip.MustParsePrefix("2001:db8::/32")), dhcpproxy.WithLoopLimit(1, time.Hour))
	require.EqualError(t, err, strings.Join([]string{
		"dhcpproxy: nil logger", "nil event function",
		`interface pattern "eth[" not valid`, `interface pattern "" not valid`,
		"advertised address 2001:db8::1 not an IPv4 address of a host",
		"ports 67 and 67 not two different ports",
		"unicast frames need the packet socket",
		"0 workers not in 1..4096",
		"handler timeout 1h0m0s not in 1ms..1m0s",
		"rate limit of -1 packets per 0s not valid",
		`class "" not in 1..255 bytes`, `class "` + strings.Repeat("x", 256) + `" not in 1..255 bytes`,
		"relay network 2001:db8::/32 not an IPv4 prefix",
		"loop limit of 1 in 1h0m0s not valid",
	}, "\n"))
}

func TestErrorMatchesCause(t *testing.T) {
	t.Parallel()

	err := error(&dhcpproxy.Error{Op: "handle", MAC: testMAC, Err: net.ErrClosed})
	require.ErrorIs(t, err, net.ErrClosed)
	assert.EqualError(t, err, "dhcpproxy: handle for 52:54:00:12:34:56: use of closed network connection")
	assert.EqualError(t, &dhcpproxy.Error{Op: "read", Err: net.ErrClosed}, "dhcpproxy: read: use of closed network connection")
}
