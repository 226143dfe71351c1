// Rootfs makes the root file system of a container image, as one tar:
//
//	rootfs [flags] REFERENCE [FILE]
//
// The reference is of any form that AuroraBoot takes: quay.io/kairos/…,
// docker://…, dir:…, ocifile:…, or just the name of a folder or a tar. Without
// FILE it prints the names of the files. With it, the tar has that name when it
// is complete, and FILE.sha256 beside it holds its digest.
//
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

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

func main() { cli.Main("rootfs", run) }

// run is main without the process: it can be called from a test.
func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("rootfs", flag.ContinueOnError)
	var from source.Flags
	from.Register(flags)
	words, err := cli.Parse(flags, args, stdout)
	if err != nil {
		return err
	}
	if len(words) < 1 || len(words) > 2 {
		return cli.Usagef("want a reference, and perhaps a file, got %d words", len(words))
	}
	if len(words) == 2 {
		if err := output.Check(words[1], source.Path(words[0])); err != nil {
			return err
		}
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	store, err := from.OpenStore(log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	tree, err := from.Tree(ctx, store, words[0], log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	if len(words) == 1 {
		return list(tree, stdout)
	}
	out, err := output.Create(words[1], output.Sum(tree))
	if err != nil {
		return err
	}
	return out.Finish(ctx, write(ctx, tree.Tree, out.Writer()))
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

// write writes the tree as a tar.
func write(ctx context.Context, tree *artifacts.Tree, to io.Writer) error {
	w := tar.NewWriter(to)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		return writeEntry(w, tree, name, entry)
	})
	if err != nil {
		return err
	}
	return w.Close()
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
	}
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	file, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
