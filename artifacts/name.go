package artifacts

import (
	"errors"
	"net/url"
	"path"
	"strings"
)

// label returns name as it may be shown: a URL loses user, password and
// query, where tokens and signatures are.
func label(name string) string {
	if !strings.Contains(name, "://") {
		return name
	}
	u, err := url.Parse(name)
	if err != nil {
		return "a URL that cannot be parsed"
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// base returns the last element of a path or URL, decoded.
func base(name string) string {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Path
	}
	return path.Base(name)
}

// clean takes secrets out of the URL that net/http puts into its errors.
func clean(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return &url.Error{Op: failed.Op, URL: label(failed.URL), Err: clean(failed.Err)}
	}
	return err
}

// Beside returns the name of what lies beside the file called name, under the
// same name with suffix behind it. In URLs the path is what grows.
func Beside(name, suffix string) string {
	return inPath(name, func(p string) string { return p + suffix })
}

// checksumFiles returns where digests of the file called name are customarily
// found.
func checksumFiles(name string) []string {
	in := func(list string) string {
		return inPath(name, func(p string) string { return path.Join(path.Dir(p), list) })
	}
	return []string{Beside(name, ".sha256"), in("SHA256SUMS"), Beside(name, ".sha512"), in("SHA512SUMS")}
}

// inPath changes a path, or that in a URL.
func inPath(name string, change func(p string) string) string {
	u, err := url.Parse(name)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return change(name)
	}
	u.Path, u.RawPath = change(u.Path), ""
	return u.String()
}
