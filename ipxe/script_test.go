package ipxe_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/ipxe"
)

const (
	kernelURL  = "http://192.0.2.1:8090/_/file?name=a&type=kernel"
	initrdURL  = "http://192.0.2.1:8090/_/file?name=b&type=initrd"
	initrd2URL = "http://192.0.2.1:8090/_/file?name=c&type=initrd"
	bootingURL = "http://192.0.2.1:8090/_/booting?name=d"
)

func linux() ipxe.Script {
	return ipxe.Script{
		Kernel:  kernelURL,
		Initrd:  []string{initrdURL, initrd2URL},
		Cmdline: `console=ttyS0 root=live:http://192.0.2.1/x.squashfs init="/bin/a b"`,
		Message: "-- Welcome; this is fine",
		Booting: bootingURL,
	}
}

func menu() ipxe.Script {
	return ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{
		Title: "Choose wisely", Default: "disk", Timeout: 5 * time.Second,
		Items: []ipxe.Item[ipxe.Script]{
			{Name: "live", Text: "Live system", Boot: linux()},
			{Name: "disk", Text: "First disk", Boot: ipxe.Script{Local: ipxe.LocalSANBoot}},
		},
	}}
}

func TestScriptWriteTo(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		script ipxe.Script
	}{
		{"kernel", ipxe.Script{Kernel: "http://192.0.2.1/k"}},
		{"linux", linux()},
		{"menu", menu()},
		{"exit", ipxe.Script{Local: ipxe.LocalExit, Message: "Back to disk"}},
		{"sanboot", ipxe.Script{Local: ipxe.LocalSANBoot}},
		{"reboot", ipxe.Script{Kernel: "https://[2001:db8::1]/k", Retries: -1, Timeout: time.Minute, OnFailure: ipxe.FailReboot}},
		{"shell", ipxe.Script{Kernel: "tftp://192.0.2.1/k", Retries: 3, OnFailure: ipxe.FailShell}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var got bytes.Buffer
			n, err := tt.script.WriteTo(&got)
			require.NoError(t, err)
			require.EqualValues(t, got.Len(), n)
			require.Equal(t, got.String(), tt.script.String())
			golden.Check(t, tt.name+".ipxe", got.Bytes())
		})
	}
}

func TestScriptRuns(t *testing.T) {
	t.Parallel()

	fetched := []string{
		"echo -- Welcome; this is fine",
		"kernel " + kernelURL, "initrd " + initrdURL, "initrd " + initrd2URL, "imgfetch " + bootingURL,
		`boot kernel initrd=initrd0 initrd=initrd1 console=ttyS0 root=live:http://192.0.2.1/x.squashfs init="/bin/a b"`,
	}
	tests := []struct {
		name   string
		script ipxe.Script
		run    interpreter
		want   []string
	}{
		{"boots", linux(), interpreter{bootable: true}, fetched},
		{"boots when booting fails", linux(), interpreter{bootable: true, fetch: failing(bootingURL, 99)}, fetched},
		{"kernel that does not start", linux(), interpreter{}, append(fetched[:6:6], "echo Boot failed", "exit 1")},
		{"exit", ipxe.Script{Local: ipxe.LocalExit}, interpreter{}, []string{"exit 1"}},
		{
			"sanboot on BIOS",
			ipxe.Script{Local: ipxe.LocalSANBoot},
			interpreter{platform: "pcbios"},
			[]string{"sanboot --no-describe --drive 0x80", "exit 1"},
		},
		{"sanboot on EFI", ipxe.Script{Local: ipxe.LocalSANBoot}, interpreter{platform: "efi"}, []string{"exit 1"}},
		{
			"no retry",
			ipxe.Script{Kernel: kernelURL, Retries: -1, OnFailure: ipxe.FailReboot},
			interpreter{fetch: failing(kernelURL, 99)},
			[]string{"kernel " + kernelURL, "echo Boot failed", "sleep 10", "reboot"},
		},
		{
			"back-off",
			ipxe.Script{Kernel: kernelURL, Retries: 5, OnFailure: ipxe.FailShell},
			interpreter{fetch: failing(kernelURL, 99)},
			[]string{
				"kernel " + kernelURL, "sleep 1", "kernel " + kernelURL, "sleep 2", "kernel " + kernelURL, "sleep 4",
				"kernel " + kernelURL, "sleep 8", "kernel " + kernelURL, "sleep 8", "kernel " + kernelURL,
				"echo Boot failed", "shell",
			},
		},
		{
			"each file has its own retries",
			ipxe.Script{Kernel: kernelURL, Initrd: []string{initrdURL}, Retries: 1},
			interpreter{bootable: true, fetch: failing("", 1)},
			[]string{
				"kernel " + kernelURL, "sleep 1", "kernel " + kernelURL, "initrd " + initrdURL, "sleep 1", "initrd " + initrdURL,
				"boot kernel initrd=initrd0",
			},
		},
		{"menu default", menu(), interpreter{platform: "efi"}, []string{"menu Choose wisely", "item Live system", "item First disk", "exit 1"}},
		{
			"menu choice", menu(),
			interpreter{choice: "item-live", bootable: true},
			append([]string{"menu Choose wisely", "item Live system", "item First disk"}, fetched...),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := tt.run.run(tt.script.String())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

// failing returns a network on which url, or each URL if it is empty, fails
// the first n times.
func failing(url string, n int) func(string) error {
	failed := make(map[string]int)
	return func(u string) error {
		if failed[u]++; (url == "" || u == url) && failed[u] <= n {
			return errFailed
		}
		return nil
	}
}

func TestScriptWriteToRefuses(t *testing.T) {
	t.Parallel()

	with := func(change func(*ipxe.Script)) ipxe.Script {
		s := linux()
		change(&s)
		return s
	}
	cmdline := func(text string) ipxe.Script { return with(func(s *ipxe.Script) { s.Cmdline = text }) }
	kernel := func(text string) ipxe.Script { return with(func(s *ipxe.Script) { s.Kernel = text }) }
	message := func(text string) ipxe.Script { return with(func(s *ipxe.Script) { s.Message = text }) }
	items := func(items ...ipxe.Item[ipxe.Script]) ipxe.Script {
		return ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{Items: items}}
	}
	exit := ipxe.Script{Local: ipxe.LocalExit}
	tests := []struct {
		name   string
		script ipxe.Script
		field  string
	}{
		{"nothing", ipxe.Script{}, "Kernel"},
		{"two things", with(func(s *ipxe.Script) { s.Local = ipxe.LocalExit }), "Kernel"},
		{"initrd alone", ipxe.Script{Local: ipxe.LocalExit, Initrd: []string{initrdURL}}, "Initrd"},
		{"cmdline alone", ipxe.Script{Local: ipxe.LocalExit, Cmdline: "quiet"}, "Cmdline"},
		{"not found", ipxe.Script{Local: ipxe.LocalNotFound}, "Local"},
		{"bad local", ipxe.Script{Local: 99}, "Local"},
		{"bad failure", with(func(s *ipxe.Script) { s.OnFailure = 3 }), "OnFailure"},
		{"many retries", with(func(s *ipxe.Script) { s.Retries = 1001 }), "Retries"},
		{"short timeout", with(func(s *ipxe.Script) { s.Timeout = time.Microsecond }), "Timeout"},
		{"negative timeout", with(func(s *ipxe.Script) { s.Timeout = -time.Second }), "Timeout"},
		{"many initrds", with(func(s *ipxe.Script) { s.Initrd = slices.Repeat(s.Initrd, 33) }), "Initrd"},
		{"second initrd", with(func(s *ipxe.Script) { s.Initrd[1] = "initrd" }), "Initrd[1]"},
		{"booting", with(func(s *ipxe.Script) { s.Booting = "x y" }), "Booting"},

		{"cmdline setting", cmdline("a=${net0/mac}"), "Cmdline"},
		{"cmdline open setting", cmdline("a=${"), "Cmdline"},
		{"cmdline newline", cmdline("a\nshell"), "Cmdline"},
		{"cmdline return", cmdline("a\rb"), "Cmdline"},
		{"cmdline tab", cmdline("a\tb"), "Cmdline"},
		{"cmdline nul", cmdline("a\x00b"), "Cmdline"},
		{"cmdline C1 control", cmdline("a\u0085b"), "Cmdline"},
		{"cmdline not UTF-8", cmdline("a\xffb"), "Cmdline"},
		{"cmdline and", cmdline("a && shell"), "Cmdline"},
		{"cmdline or", cmdline("a || shell"), "Cmdline"},
		{"cmdline or at end", cmdline("a ||"), "Cmdline"},
		{"cmdline semicolon", cmdline("; shell"), "Cmdline"},
		{"cmdline comment", cmdline("a #b"), "Cmdline"},
		{"cmdline two spaces", cmdline("a  b"), "Cmdline"},
		{"cmdline leading space", cmdline(" a"), "Cmdline"},
		{"cmdline trailing space", cmdline("a "), "Cmdline"},
		{"cmdline too long", cmdline(strings.Repeat("a", 8193)), "Cmdline"},

		{"kernel relative", kernel("vmlinuz"), "Kernel"},
		{"kernel path", kernel("/vmlinuz"), "Kernel"},
		{"kernel option", kernel("--name=x"), "Kernel"},
		{"kernel space", kernel("http://192.0.2.1/a b"), "Kernel"},
		{"kernel newline", kernel("http://192.0.2.1/a\nshell"), "Kernel"},
		{"kernel setting", kernel("http://${next-server}/a"), "Kernel"},
		{"kernel params", kernel("http://192.0.2.1/a##params"), "Kernel"},
		{"kernel fragment", kernel("http://192.0.2.1/a#b"), "Kernel"},
		{"kernel UTF-8", kernel("http://192.0.2.1/ä"), "Kernel"},
		{"kernel without host", kernel("http:///a"), "Kernel"},
		{"kernel opaque", kernel("http:a"), "Kernel"},
		{"kernel bad escape", kernel("http://192.0.2.1/%zz"), "Kernel"},
		{"kernel scheme", kernel("h2tp://192.0.2.1/a"), "Kernel"},
		{"kernel too long", kernel("http://192.0.2.1/" + strings.Repeat("a", 4096)), "Kernel"},

		{"message newline", message("a\nshell"), "Message"},
		{"message backslash", message(`a\`), "Message"},
		{"message setting", message("${uuid}"), "Message"},
		{"message command", message("a ; shell"), "Message"},

		{"empty menu", items(), "Menu.Items"},
		{"item name", items(ipxe.Item[ipxe.Script]{Name: "a b", Text: "x", Boot: exit}), "Menu.Items[0].Name"},
		{"item without name", items(ipxe.Item[ipxe.Script]{Text: "x", Boot: exit}), "Menu.Items[0].Name"},
		{"item without text", items(ipxe.Item[ipxe.Script]{Name: "a", Boot: exit}), "Menu.Items[0].Text"},
		{"item text", items(ipxe.Item[ipxe.Script]{Name: "a", Text: `x\`, Boot: exit}), "Menu.Items[0].Text"},
		{"item boot", items(ipxe.Item[ipxe.Script]{Name: "a", Text: "x"}), "Menu.Items[0].Boot.Kernel"},
		{"item kernel", items(ipxe.Item[ipxe.Script]{Name: "a", Text: "x", Boot: kernel("k")}), "Menu.Items[0].Boot.Kernel"},
		{"menu in menu", items(ipxe.Item[ipxe.Script]{Name: "a", Text: "x", Boot: menu()}), "Menu.Items[0].Boot.Menu"},
		{
			"same name", items(ipxe.Item[ipxe.Script]{Name: "a", Text: "x", Boot: exit}, ipxe.Item[ipxe.Script]{Name: "a", Text: "y", Boot: exit}),
			"Menu.Items[1].Name",
		},
		{"menu title", ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{Title: "a\n", Items: menu().Menu.Items}}, "Menu.Title"},
		{"menu default", ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{Default: "x", Items: menu().Menu.Items}}, "Menu.Default"},
		{"menu timeout", ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{Timeout: -1, Items: menu().Menu.Items}}, "Menu.Timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			n, err := tt.script.WriteTo(io.Discard)
			assert.Zero(t, n)
			var refused *ipxe.ScriptError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.field, refused.Field)
			assert.NotEmpty(t, refused.Reason)
			assert.Equal(t, err.Error(), tt.script.String())
		})
	}
}

// FuzzScriptWriteTo checks that a script does exactly what its fields say,
// whatever they hold, or is refused.
func FuzzScriptWriteTo(f *testing.F) {
	f.Add(kernelURL, initrdURL, "console=ttyS0", "hello", "Title", "Text")
	f.Add("http://a/b", "http://a/${c}", "a && b", "-n x", "--delete", "--gap")
	f.Add("http://a/b#c", "tftp://a/b", `a\`, `a\`, "a ; b", "#x")
	f.Add("http://a/||", "http://a/b", "a ||b ;c &&d", ":label", ":label", "$ {x}")
	f.Add("http://a/b", "http://a/b", "}${", "a\x0bb", "a\u00a0b", "x\ny")
	f.Fuzz(func(t *testing.T, kernel, initrd, cmdline, message, title, text string) {
		boot := ipxe.Script{Kernel: kernel, Initrd: []string{initrd}, Cmdline: cmdline, Message: message, Booting: bootingURL}
		words := "boot kernel initrd=initrd0"
		if cmdline != "" {
			words += " " + cmdline
		}
		want := []string{"kernel " + kernel, "initrd " + initrd, "imgfetch " + bootingURL, words}
		if message != "" {
			want = append([]string{"echo " + message}, want...)
		}
		checkRun(t, &boot, want)
		items := []ipxe.Item[ipxe.Script]{{Name: "a", Text: text, Boot: boot}, {Name: "b", Text: "B", Boot: boot}}
		checkRun(t, &ipxe.Script{Menu: &ipxe.Menu[ipxe.Script]{Title: title, Items: items, Default: "b"}},
			append([]string{strings.TrimSuffix("menu "+title, ""), "item " + text, "item B"}, want...))
	})
}

func checkRun(t *testing.T, s *ipxe.Script, want []string) {
	t.Helper()
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		require.True(t, errors.As(err, new(*ipxe.ScriptError)), err)
		return
	}
	in := interpreter{bootable: true}
	got, err := in.run(b.String())
	require.NoError(t, err, b.String())
	require.Equal(t, want, got, b.String())
}
