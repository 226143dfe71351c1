package netsim

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A Path says what happens to each packet. The zero value passes all at once.
type Path struct {
	Delay     time.Duration // one way
	Loss      float64       // share of the packets that are lost
	Duplicate float64       // share that arrives twice
	Reorder   float64       // share that arrives later than it should
	Late      time.Duration // by how much; 2 ms if zero
	Seed      uint64
}

// Counts says what has happened so far.
type Counts struct {
	Passed, Lost, Duplicated, Reordered int64 // packets
	ToServer, ToClients                 int64 // bytes that were sent in, lost ones too
}

// A Relay is a path in use. It is safe for concurrent use.
type Relay struct {
	path   Path
	server netip.AddrPort
	front  *net.UDPConn
	ip     net.IP   // of the sockets that clients see
	far    net.IP   // of those that the server sees
	lanes  [4]*lane // to the server on time and late, to clients on time and late

	done chan struct{}
	work sync.WaitGroup

	mu      sync.Mutex
	rnd     *rand.Rand
	clients map[netip.AddrPort]*client
	sockets []*net.UDPConn
	closed  bool

	passed, lost, duplicated, reordered atomic.Int64
	toServer, toClients                 atomic.Int64
}

// A client is the relay's side of one client's port.
type client struct {
	addr  netip.AddrPort
	conn  *net.UDPConn                    // towards the server
	peers map[netip.AddrPort]*net.UDPConn // towards the client, by the server's port
}

// Listen opens a relay to server on a free port of the loopback address of
// server's family.
func Listen(server netip.AddrPort, path Path) (*Relay, error) {
	if path.Late == 0 {
		path.Late = 2 * time.Millisecond
	}
	r := &Relay{
		path:    path,
		server:  server,
		ip:      net.IPv4(127, 0, 0, 1),
		done:    make(chan struct{}),
		rnd:     rand.New(rand.NewPCG(path.Seed, 0)), //nolint:gosec // A test wants the same numbers again.
		clients: make(map[netip.AddrPort]*client),
	}
	if server.Addr().Is6() {
		r.ip = net.IPv6loopback
	}
	if server.Addr().IsLoopback() {
		r.far = r.ip
	}
	front, err := r.open(r.ip)
	if err != nil {
		return nil, err
	}
	r.front = front
	for i := range r.lanes {
		delay := path.Delay
		if i%2 == 1 {
			delay += path.Late
		}
		r.lanes[i] = newLane(delay)
		r.work.Go(func() { r.lanes[i].run(r.done) })
	}
	r.work.Go(func() {
		r.receive(front, func(from netip.AddrPort) (*net.UDPConn, netip.AddrPort) {
			if c := r.client(from); c != nil {
				return c.conn, r.server
			}
			return nil, from
		}, true)
	})
	return r, nil
}

// Addr returns the address that clients ask.
func (r *Relay) Addr() netip.AddrPort { return address(r.front) }

// Counts returns what has happened so far.
func (r *Relay) Counts() Counts {
	return Counts{
		Passed: r.passed.Load(), Lost: r.lost.Load(),
		Duplicated: r.duplicated.Load(), Reordered: r.reordered.Load(),
		ToServer: r.toServer.Load(), ToClients: r.toClients.Load(),
	}
}

// Close ends the relay. Packets on their way are lost.
func (r *Relay) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	for _, c := range r.sockets {
		_ = c.Close()
	}
	r.mu.Unlock()
	close(r.done)
	r.work.Wait()
	return nil
}

// open opens a socket at ip, or at any address if that is nil, that Close
// closes.
func (r *Relay) open(ip net.IP) (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20) // A window arrives at once.
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	r.sockets = append(r.sockets, conn)
	return conn, nil
}

// client returns the relay's side of addr, which it makes when it is new.
func (r *Relay) client(addr netip.AddrPort) *client {
	r.mu.Lock()
	c := r.clients[addr]
	r.mu.Unlock()
	if c != nil {
		return c
	}
	conn, err := r.open(r.far)
	if err != nil {
		return nil
	}
	c = &client{addr: addr, conn: conn, peers: map[netip.AddrPort]*net.UDPConn{r.server: r.front}}
	r.mu.Lock()
	r.clients[addr] = c
	r.mu.Unlock()
	r.work.Go(func() {
		r.receive(conn, func(from netip.AddrPort) (*net.UDPConn, netip.AddrPort) {
			return r.peer(c, from), c.addr
		}, false)
	})
	return c
}

// peer returns the socket that stands for the server's port from before c. Only
// the goroutine that reads c.conn calls it.
func (r *Relay) peer(c *client, from netip.AddrPort) *net.UDPConn {
	if conn := c.peers[from]; conn != nil {
		return conn
	}
	conn, err := r.open(r.ip)
	if err != nil {
		return nil
	}
	c.peers[from] = conn
	r.work.Go(func() {
		r.receive(conn, func(sender netip.AddrPort) (*net.UDPConn, netip.AddrPort) {
			if sender != c.addr {
				return nil, from
			}
			return c.conn, from
		}, true)
	})
	return conn
}

// receive passes what arrives at conn on, the way that route says, until conn
// is closed.
func (r *Relay) receive(conn *net.UDPConn, route func(from netip.AddrPort) (*net.UDPConn, netip.AddrPort), toServer bool) {
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		select {
		case <-r.done:
			return
		default:
		}
		if err != nil {
			continue // What ICMP said of an earlier packet.
		}
		now := time.Now()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if out, to := route(from); out != nil {
			r.pass(packet{conn: out, to: to, data: append([]byte(nil), buf[:n]...), arrived: now}, toServer)
		}
	}
}

// pass puts p on its way, or loses it.
func (r *Relay) pass(p packet, toServer bool) {
	lanes, bytes := r.lanes[2:], &r.toClients
	if toServer {
		lanes, bytes = r.lanes[:2], &r.toServer
	}
	bytes.Add(int64(len(p.data)))
	r.mu.Lock()
	lost := r.rnd.Float64() < r.path.Loss
	twice := r.rnd.Float64() < r.path.Duplicate
	late := r.rnd.Float64() < r.path.Reorder
	r.mu.Unlock()
	if lost {
		r.lost.Add(1)
		return
	}
	r.passed.Add(1)
	if twice {
		r.duplicated.Add(1)
		lanes[0].put(p)
	}
	if late {
		r.reordered.Add(1)
		lanes[1].put(p)
		return
	}
	lanes[0].put(p)
}

func address(conn *net.UDPConn) netip.AddrPort {
	ap := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
