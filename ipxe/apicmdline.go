package ipxe

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parseCmdline reads the command line of an API server's answer: a text with
// {{ URL "…" }}, or an object. Each address becomes an {{ ID "…" }} for the
// [Handler], so the text is expanded twice, as pixiecore does.
func parseCmdline(raw json.RawMessage, name func(ref string) (string, error)) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	link := func(ref string) (string, error) {
		n, err := name(ref)
		return "{{ ID " + strconv.Quote(n) + " }}", err
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return expand(text, func(function, ref string) (string, error) {
			if function != "URL" {
				return "", fmt.Errorf("command line: an API server writes URL, not %s", function)
			}
			return link(ref)
		})
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return "", errors.New("command line is neither a string nor an object")
	}
	var words []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		word, err := parseArgument(key, object[key], link)
		if err != nil {
			return "", err
		}
		words = append(words, word)
	}
	return strings.Join(words, " "), nil
}

// parseArgument reads one member of a command line object: a boolean stands
// for the bare key, a string for a quoted value, {"url": …} for a link.
func parseArgument(key string, raw json.RawMessage, link func(ref string) (string, error)) (string, error) {
	var flag *bool
	var value *string
	var address struct {
		URL string `json:"url"`
	}
	switch {
	case json.Unmarshal(raw, &flag) == nil && flag != nil:
		return key, nil
	case json.Unmarshal(raw, &value) == nil && value != nil:
		return key + "=" + strconv.Quote(*value), nil
	case json.Unmarshal(raw, &address) == nil && address.URL != "":
		l, err := link(address.URL)
		return key + "=" + l, err
	default:
		return "", fmt.Errorf("command line argument %q is neither a boolean, a string nor an object with a url", key)
	}
}
