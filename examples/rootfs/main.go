// Rootfs makes the root file system of a container image, as one tar:
//
//	rootfs [flags] REFERENCE [FILE]
//
// The reference is of any form that AuroraBoot takes: quay.io/kairos/…,
// docker://…, dir:…, ocifile:…. Without FILE it prints the names of the files.
// Credentials are those of ~/.docker/config.json and credential helpers, the
// daemon is that of DOCKER_HOST, proxies are those of HTTPS_PROXY.
//
// Run it with -help for the flags.
package main

import (
	"archive/tar"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

func main() { cli.Main("rootfs", run) }

// run is main without the process: it can be called from a test.
func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("rootfs", flag.ContinueOnError)
	flags.SetOutput(stdout)
	dir := flags.String("store", "", "keep what is fetched in this `folder`; default: netbootkit in the user's cache")
	platform := flags.String("platform", "", "the `platform` to take, such as linux/arm64; default: this computer's")
	insecure := flags.Bool("insecure", false, "permit plain HTTP and untrusted certificates")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 1 || flags.NArg() > 2 {
		return errors.New("want a reference, and perhaps a file")
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	store, err := openStore(*dir, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	image, err := oci.Open(ctx, store, flags.Arg(0), options(*platform, *insecure, log)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, image.Close()) }()
	tree, err := oci.Rootfs(ctx, store, image)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	if flags.NArg() == 1 {
		return list(tree, stdout)
	}
	return write(tree, flags.Arg(1))
}

// openStore opens the store in dir, or in the user's cache.
func openStore(dir string, log *slog.Logger) (*artifacts.Store, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(cache, "netbootkit")
	}
	return artifacts.OpenStore(dir, artifacts.WithLogger(log))
}

// options reads what the library does not: the environment.
func options(platform string, insecure bool, log *slog.Logger) []oci.Option {
	opts := []oci.Option{
		oci.WithLogger(log),
		oci.WithKeychain(authn.DefaultKeychain),
		oci.WithHTTPClient(&http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, ResponseHeaderTimeout: time.Minute,
		}}),
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		opts = append(opts, oci.WithDaemonHost(host))
	}
	if platform != "" {
		opts = append(opts, oci.WithPlatform(platform))
	}
	if insecure {
		opts = append(opts, oci.WithPlainHTTP(), oci.WithUntrustedTLS())
	}
	return opts
}

// list prints one line for each file.
func list(tree fs.FS, stdout io.Writer) error {
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			_, err = fmt.Fprintf(stdout, "%v %10d %s\n", info.Mode(), info.Size(), name)
		}
		return err
	})
}

// write writes the tree to a tar.
func write(tree *artifacts.Tree, name string) (err error) {
	file, err := os.Create(name) //nolint:gosec // The user names it.
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := tar.NewWriter(file)
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return writeEntry(w, tree, name, entry)
	})
	return errors.Join(err, w.Close())
}

// writeEntry writes one file: its header, and its content if it has its own.
func writeEntry(w *tar.Writer, tree *artifacts.Tree, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header := info.Sys().(*tar.Header)
	if header.Typeflag != tar.TypeReg {
		header.Size = 0
		return w.WriteHeader(header)
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	file, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}
