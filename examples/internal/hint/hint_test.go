package hint_test

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/hint"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestQuote lets a shell take the quotes away again.
func TestQuote(t *testing.T) {
	t.Parallel()
	shell := oracle.Need(t, "sh")

	for _, s := range []string{"", "a", "/a/b-c_1.2.iso", "a b", "it's", "'", "$HOME", "a\nb", `a\b`, "*", "~", "#a", "{a,b}", "für", "-n;"} {
		out, err := exec.CommandContext(t.Context(), shell, "-c", "printf %s "+hint.Quote(s)).Output()
		require.NoError(t, err, s)
		assert.Equal(t, s, string(out))
	}
	assert.Equal(t, "/a/b-c_1.2.iso", hint.Quote("/a/b-c_1.2.iso"), "what needs no quotes has none")
}

func TestQEMU(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		arch string
		uefi bool
		want string
	}{
		{"amd64", false, "qemu-system-x86_64 -m 2048 -accel kvm -accel tcg"},
		{"amd64", true, "qemu-system-x86_64 -m 2048 -accel kvm -accel tcg -bios /usr/share/ovmf/OVMF.fd"},
		{"arm64", true, "qemu-system-aarch64 -M virt -cpu max -m 2048 -accel kvm -accel tcg -nographic -bios /usr/share/AAVMF/AAVMF_CODE.fd"},
		{"riscv64", true, "qemu-system-riscv64 -M virt,acpi=off -m 2048 -accel kvm -accel tcg -nographic" +
			" -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd" +
			" -drive if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd"},
	} {
		assert.Equal(t, tt.want, hint.QEMU(tt.arch, tt.uefi))
	}
}

func ExampleDrive() {
	fmt.Println(hint.QEMU("amd64", false), "-drive", hint.Drive("my disk, new.raw", "raw"))
	// Output:
	// qemu-system-x86_64 -m 2048 -accel kvm -accel tcg -drive 'file=my disk,, new.raw,format=raw,snapshot=on'
}
