package dhcpproxy_test

import (
	"context"
	"testing"
	"time"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// FuzzServerAnswer sends anything to a server: decode, decide and encode never
// panic, and whatever is answered is a well-formed reply to it.
func FuzzServerAnswer(f *testing.F) {
	for _, row := range matrix() {
		f.Add(row.request.bytes(), false)
		f.Add(row.request.set(53, 3).set(43, 71, 4, 0, 1, 0, 0, 255).bytes(), true)
	}
	f.Add(discover(pxeX64, 7).set(52, 3).set(82, 11, 4, 192, 0, 2, 9).bytes(), false)
	f.Add([]byte{}, true)

	srv, err := dhcpproxy.NewServer(echo(), advertised, dhcpproxy.WithRateLimit(0, time.Second))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte, boot bool) {
		via := onPort67
		if boot {
			via = onPort4011
		}
		via.Interface = 0
		e := srv.Explain(t.Context(), payload, via)
		if e.Reason == dhcpproxy.ReasonHandlerPanic || e.String() == "" {
			t.Fatalf("%+v", e)
		}
		if (e.Reason == dhcpproxy.ReasonNone) != (e.Reply != nil) {
			t.Fatalf("reason %v with a reply of %d bytes", e.Reason, len(e.Reply))
		}
		if e.Reply != nil {
			checkReply(t, payload, e.Reply)
		}
	})
}

// echo is a policy that offers what the client itself sent.
func echo() dhcpproxy.Handler {
	policy := chainload()
	return dhcpproxy.HandlerFunc(func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		if req.Hostname != "" {
			return &dhcpproxy.Offer{BootFile: req.Hostname, Options: map[uint8][]byte{43: req.Raw[240:min(len(req.Raw), 300)]}}, nil
		}
		return policy.Offer(ctx, req)
	})
}

func checkReply(t *testing.T, payload, b []byte) {
	t.Helper()
	if len(b) < 300 || len(b) > 1472 || b[0] != 2 || [6]byte(b[28:34]) != [6]byte(payload[28:34]) || [4]byte(b[4:8]) != [4]byte(payload[4:8]) {
		t.Fatalf("not a reply to it: %x", b)
	}
	if b[107] != 0 || b[235] != 0 {
		t.Fatalf("sname or file without NUL: %x", b)
	}
	r := parseReply(b)
	if len(r.opts[53]) != 1 || len(r.opts[54]) != 4 || r.codes[0] != 53 {
		t.Fatalf("options %v: %x", r.codes, b)
	}
	if vendor := r.opts[43]; len(vendor) > 0 && vendor[len(vendor)-1] != 255 {
		t.Fatalf("option 43 without END: %x", vendor)
	}
	for _, code := range []byte{1, 3, 6, 51, 58, 59} {
		if _, ok := r.opts[code]; ok {
			t.Fatalf("option %d belongs to a lease", code)
		}
	}
}
