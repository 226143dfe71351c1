package ipxe

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// maxItems bounds a menu; a screen shows about twenty items at once.
const maxItems = 100

// A Menu is a choice between things to boot: [Script] in a script, [Spec] in
// a spec.
type Menu[T any] struct {
	Title   string        `json:"title,omitempty"`   // one line
	Items   []Item[T]     `json:"items"`             // 1 to 100, in order
	Default string        `json:"default,omitempty"` // name of an item; empty means the first
	Timeout time.Duration `json:"timeout,omitempty"` // then the default is taken; zero waits for ever; nanoseconds in JSON
}

// An Item is one line of a [Menu].
type Item[T any] struct {
	Name string `json:"name"` // unique; letters, digits, dots, dashes and underscores
	Text string `json:"text"` // one line
	Boot T      `json:"boot"` // what it boots; not another menu
}

// checkMenu says why m cannot be written.
func checkMenu(at string, m *Menu[Script]) error {
	refuse := func(field string, value any, reason string) error {
		return &ScriptError{Field: at + field, Value: fmt.Sprint(value), Reason: reason}
	}
	if err := checkLine(at+"Title", m.Title); err != nil {
		return err
	}
	if m.Timeout < 0 || m.Timeout > maxTimeout {
		return refuse("Timeout", m.Timeout, "not in 0..1h")
	}
	if len(m.Items) == 0 || len(m.Items) > maxItems {
		return refuse("Items", len(m.Items), fmt.Sprintf("not in 1..%d", maxItems))
	}
	names := make(map[string]bool)
	for i, item := range m.Items {
		field := fmt.Sprintf("%sItems[%d].", at, i)
		switch {
		case !isName(item.Name):
			return &ScriptError{Field: field + "Name", Value: item.Name, Reason: "not 1 to 64 letters, digits, dots, dashes and underscores"}
		case names[item.Name]:
			return &ScriptError{Field: field + "Name", Value: item.Name, Reason: "two items have this name"}
		case item.Text == "":
			return &ScriptError{Field: field + "Text", Reason: "an item without text cannot be chosen"}
		case item.Boot.Menu != nil:
			return &ScriptError{Field: field + "Boot.Menu", Reason: "a menu in a menu"}
		}
		names[item.Name] = true
		if err := checkLine(field+"Text", item.Text); err != nil {
			return err
		}
		if err := item.Boot.check(field + "Boot."); err != nil {
			return err
		}
	}
	if m.Default != "" && !names[m.Default] {
		return refuse("Default", m.Default, "no item has this name")
	}
	return nil
}

// isName says whether s can be a part of a label.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// writeMenu writes the menu of s, and each item behind a label of its own.
func writeMenu(b *bytes.Buffer, s *Script) {
	writeMessage(b, s.Message)
	b.WriteString("menu")
	if s.Menu.Title != "" {
		b.WriteString(" -- " + s.Menu.Title)
	}
	b.WriteByte('\n')
	for _, item := range s.Menu.Items {
		fmt.Fprintf(b, "item -- item-%s %s\n", item.Name, item.Text)
	}
	b.WriteString("choose")
	if s.Menu.Default != "" {
		b.WriteString(" --default item-" + s.Menu.Default)
	}
	if s.Menu.Timeout > 0 {
		fmt.Fprintf(b, " --timeout %d", max(1, s.Menu.Timeout.Milliseconds()))
	}
	b.WriteString(" chosen && goto ${chosen} || goto failed\n")
	for _, item := range s.Menu.Items {
		prefix := "item-" + item.Name
		fmt.Fprintf(b, ":%s\n", prefix)
		// A name holds no colon, so no other item's label is the same.
		item.Boot.writeBoot(b, prefix+":")
	}
	b.WriteString(":failed\n")
	s.OnFailure.write(b)
}
