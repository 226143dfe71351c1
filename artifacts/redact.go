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
