// Package artifacts fetches, verifies and keeps what machines boot.
package artifacts
