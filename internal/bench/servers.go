//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// httpPort is where ours and nginx serve files.
const httpPort = 8090

// machineMAC is who the clients of TFTP and HTTP say they are.
const machineMAC = "02:00:00:00:00:01"

// netbootServer is ours, which boots machines as args say, or with the file
// kernel if there are none.
func (l *lab) netbootServer(args ...string) contender {
	if len(args) == 0 {
		args = []string{"-kernel", "kernel"}
	}
	return contender{name: "netboot", start: func(ctx context.Context) (*program, error) {
		return l.start(ctx, l.netboot, append([]string{"-root", l.files, "-interface", "eth0", "-http-port", strconv.Itoa(httpPort)}, args...)...)
	}}
}

// makeFiles writes the files that most comparisons need; others write theirs.
func (l *lab) makeFiles(program []byte) error {
	return errors.Join(l.makeFile(bootProgram, program), l.makeFile("kernel", []byte("kernel")))
}

// makeFile writes a file for all servers.
func (l *lab) makeFile(name string, data []byte) error {
	return os.WriteFile(filepath.Join(l.files, name), data, 0o644) //nolint:gosec // Servers that gave up their rights read it.
}

// dnsmasqServer is dnsmasq as a ProxyDHCP and TFTP server, which offers the
// boot program unless it is told other services. It logs what it does, as ours
// does.
func (l *lab) dnsmasqServer(services ...string) contender {
	if len(services) == 0 {
		services = []string{"--pxe-service=X86-64_EFI,boot," + bootProgram}
	}
	return contender{name: "dnsmasq", start: func(ctx context.Context) (*program, error) {
		return l.start(ctx, "dnsmasq", append([]string{
			"--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root", "--pid-file=",
			"--port=0", "--interface=eth0", "--bind-interfaces", "--dhcp-range=192.168.0.0,proxy",
			"--enable-tftp", "--tftp-root=" + l.files, "--tftp-no-fail", fmt.Sprint("--tftp-max=", 2*maxClients),
		}, services...)...)
	}}
}

// atftpdServer is atftpd.
func (l *lab) atftpdServer() contender {
	return contender{name: "atftpd", start: func(ctx context.Context) (*program, error) {
		return l.start(ctx, "atftpd", "--daemon", "--no-fork", "--logfile", "-", "--verbose=5",
			"--user", "root.root", "--maxthread", strconv.Itoa(2*maxClients), l.files)
	}}
}

// nginxServer is nginx, with a worker for each processor and sendfile.
func (l *lab) nginxServer() contender {
	return contender{name: "nginx", start: func(ctx context.Context) (*program, error) {
		conf := filepath.Join(l.dir, "nginx.conf")
		text := fmt.Sprintf(nginxConf, filepath.Join(l.dir, "nginx.pid"), filepath.Join(l.dir, "nginx.access"), httpPort, l.files)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return l.start(ctx, "nginx", "-c", conf, "-e", "stderr")
	}}
}

const nginxConf = `
daemon off;
user root;
pid %s;
worker_processes auto;
events { worker_connections 1024; }
http {
	access_log %s;
	sendfile on;
	tcp_nopush on;
	server {
		listen %d;
		root %s;
	}
}
`
