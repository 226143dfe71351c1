package netsim

import (
	"net"
	"net/netip"
	"time"
)

// laneSize is how many packets a lane holds; more are lost, as in any queue.
const laneSize = 1 << 14

// A packet is one on its way.
type packet struct {
	conn    *net.UDPConn // what to send it from
	to      netip.AddrPort
	data    []byte
	arrived time.Time
}

// A lane keeps every packet for the same time, so what comes first leaves first.
type lane struct {
	delay time.Duration
	queue chan packet
}

func newLane(delay time.Duration) *lane {
	return &lane{delay: delay, queue: make(chan packet, laneSize)}
}

func (l *lane) put(p packet) {
	select {
	case l.queue <- p:
	default:
	}
}

// run sends each packet when its time has come, until done is closed.
func (l *lane) run(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case p := <-l.queue:
			sleepUntil(p.arrived.Add(l.delay))
			_, _ = p.conn.WriteToUDPAddrPort(p.data, p.to)
		}
	}
}
