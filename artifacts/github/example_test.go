package github_test

import (
	"context"
	"fmt"
	"os"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
)

// The kernel of a release, fetched once and verified.
func ExampleNew() {
	release := github.Release{
		Repository:    "kairos-io/kairos",
		Tag:           "v3.3.1",
		Version:       "v3.3.1-k3sv1.32.1+k3s1",
		Flavor:        "ubuntu",
		FlavorRelease: "24.04",
	}
	src, err := github.New(release)
	if err != nil {
		panic(err)
	}
	fmt.Println(src.ID())
	fmt.Println(release.AssetName(release.Tag, github.Kernel))

	fetch := func(ctx context.Context) error {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		store, err := artifacts.OpenStore(dir + "/netboot")
		if err != nil {
			return err
		}
		defer store.Close()
		kernel, err := store.Get(ctx, src, github.Kernel)
		if err != nil {
			return err
		}
		defer kernel.Close()
		fmt.Println(kernel.Info().Digest, kernel.Size(), "bytes")
		return nil
	}
	_ = fetch // It would need the network.
	// Output:
	// github.com/kairos-io/kairos@v3.3.1 ubuntu/24.04/v3.3.1-k3sv1.32.1+k3s1
	// kairos-ubuntu-24.04-standard-amd64-generic-v3.3.1-k3sv1.32.1+k3s1-kernel
}
