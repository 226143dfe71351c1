//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
)

// An offerScore is how fast a server was, round by round.
type offerScore struct {
	offers  sample // per second, on port 67
	latency sample // in ms, within which 99 of 100 offers came
	named   sample // boot files per second, on port 4011
}

// compareOffers compares how fast boot programs are offered on port 67 and
// named on port 4011.
func compareOffers(ctx context.Context, l *lab) (*report, error) {
	var ours, dnsmasq, limit offerScore
	contend := func(c contender, score func(context.Context, *program) error) contender {
		c.ready, c.score = l.checkOffers, score
		return c
	}
	reflector := contender{name: "reflector", start: func(ctx context.Context) (*program, error) {
		return l.start(ctx, l.self, "load", "reflect")
	}}
	err := l.compete(ctx,
		contend(l.netbootServer(), ours.both(l)),
		contend(l.dnsmasqServer(), dnsmasq.both(l)),
		contend(reflector, limit.broadcast(l)))
	if err != nil {
		return nil, err
	}
	return &report{
		rows: []row{
			{measure: "ProxyDHCP offers per second, 64 under way", peer: "dnsmasq", ours: ours.offers, theirs: dnsmasq.offers, target: 3, floor: 1.5},
			{measure: "the same, 99 % answered within ms", peer: "dnsmasq", ours: ours.latency, theirs: dnsmasq.latency, lower: true},
			{measure: "boot files named per second on port 4011", peer: "dnsmasq", ours: ours.named, theirs: dnsmasq.named},
		},
		notes: []string{fmt.Sprintf(
			"The generator of DHCP requests and the kernel get %s answers per second from a server that only sends requests back, in batches.",
			number(limit.offers.median()))},
	}, nil
}

// checkOffers fails unless a DISCOVER is answered.
func (l *lab) checkOffers(ctx context.Context) error {
	r, err := l.load(ctx, "dhcp", "-count", "1", "-seconds", "0.5")
	if err == nil && r.Count == 0 {
		err = errors.New("no offer")
	}
	return err
}

// broadcast measures offers on port 67.
func (s *offerScore) broadcast(l *lab) func(context.Context, *program) error {
	return func(ctx context.Context, _ *program) error {
		r, err := l.load(ctx, "dhcp", "-seconds", l.duration())
		if err != nil {
			return err
		}
		s.offers, s.latency = append(s.offers, r.perSecond()), append(s.latency, r.P99*1e3)
		l.say("    %.0f offers/s, 99 %% within %.2f ms, %d lost", r.perSecond(), r.P99*1e3, r.Lost)
		return nil
	}
}

// both measures offers on port 67 and answers on port 4011.
func (s *offerScore) both(l *lab) func(context.Context, *program) error {
	return func(ctx context.Context, p *program) error {
		if err := s.broadcast(l)(ctx, p); err != nil {
			return err
		}
		r, err := l.load(ctx, "dhcp", "-seconds", l.duration(), "-local", clientAddr+":4011", "-server", serverAddr+":4011")
		if err == nil && r.Count == 0 {
			err = errors.New("no answer on port 4011")
		}
		if err != nil {
			return err
		}
		s.named = append(s.named, r.perSecond())
		l.say("    %.0f answers/s on port 4011, %d lost", r.perSecond(), r.Lost)
		return nil
	}
}
