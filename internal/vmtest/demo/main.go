// Demo boots a virtual machine through a private network: an ordinary DHCP
// server hands out addresses, netboot says what to boot, and the machine's
// console is on the terminal.
//
//	demo -netboot bin/netboot [-path bios|uefi|http]
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
