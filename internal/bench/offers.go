//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
)

// compareOffers compares how fast boot programs are offered on port 67 and
// named on port 4011.
func compareOffers(ctx context.Context, l *lab) (*report, error) {
	type score struct{ offers, latency, named sample }
	var ours, dnsmasq, limit score
	contend := func(c contender, s *score, named bool) contender {
		c.ready = func(ctx context.Context) error {
			r, err := l.load(ctx, "dhcp", "-count", "1", "-seconds", "0.5")
			if err == nil && r.Count == 0 {
				err = fmt.Errorf("no offer")
			}
			return err
		}
		c.score = func(ctx context.Context, _ *program) error {
			seconds := strconv.FormatFloat(l.seconds, 'f', -1, 64)
			r, err := l.load(ctx, "dhcp", "-seconds", seconds)
			if err != nil {
				return err
			}
			s.offers, s.latency = append(s.offers, r.perSecond()), append(s.latency, r.P99*1e3)
			l.say("    %.0f offers/s, 99 %% within %.2f ms, %d lost", r.perSecond(), r.P99*1e3, r.Lost)
			if !named {
				return nil
			}
			r, err = l.load(ctx, "dhcp", "-seconds", seconds, "-local", clientAddr+":4011", "-server", serverAddr+":4011")
			if err != nil {
				return err
			}
			if r.Count == 0 {
				return fmt.Errorf("no answer on port 4011")
			}
			s.named = append(s.named, r.perSecond())
			l.say("    %.0f answers/s on port 4011, %d lost", r.perSecond(), r.Lost)
			return nil
		}
		return c
	}
	reflector := contender{name: "reflector", start: func(ctx context.Context) (*program, error) {
		return l.start(ctx, l.self, "load", "reflect")
	}}
	err := l.compete(ctx, contend(l.netbootServer(), &ours, true), contend(l.dnsmasqServer(), &dnsmasq, true), contend(reflector, &limit, false))
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
