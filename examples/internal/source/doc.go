// Package source opens what users name on the command line: a container image
// in any of AuroraBoot's forms, a folder, a tar, an ISO, or a release of
// Kairos. What is fetched is verified and kept in a store.
//
//	SOURCE                               opens as
//	a file that holds an ISO 9660 image  an ISO, or the root file system in a live one
//	another file, or a folder            a root file system
//	anything else                        a container image's root file system (package oci)
//	nothing, but -repository             the ISO of a release (package github)
//
// # Environment
//
// Credentials are those of ~/.docker/config.json and of credential helpers, the
// daemon is that of DOCKER_HOST, proxies are those of HTTPS_PROXY, and
// GITHUB_TOKEN is for GitHub.
package source
