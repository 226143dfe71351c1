// Package releasetest serves a release of a GitHub repository on this host, to
// test programs that fetch one: the API's answer, the files and their digests.
package releasetest
