package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A row is one line of the table: how we did, and how a peer did, at one thing.
type row struct {
	measure string // what is measured, with its unit
	peer    string // who else did it; "" if there is only a limit to keep
	ours    sample
	theirs  sample
	lower   bool    // less is better; the ratio is turned over, so that more of it is always better
	target  float64 // the ratio to reach; 0 if it is only of interest
	floor   float64 // the ratio that must be reached in any case; 0 for the target
	limit   float64 // what ours must stay below; 0 for none
}

// ratios returns how many times better we were, round by round.
func (r *row) ratios() sample {
	if r.lower {
		return r.theirs.over(r.ours)
	}
	return r.ours.over(r.theirs)
}

// verdict says whether the median reaches the target, or the greatest of ours
// stays below the limit.
func (r *row) verdict() string {
	ratio := r.ratios().median()
	switch {
	case r.limit > 0 && r.ours.max() < r.limit:
		return "met"
	case r.limit > 0:
		return "**not met**"
	case r.target == 0:
		return ""
	case ratio >= r.target:
		return "met"
	case r.floor > 0 && ratio >= r.floor:
		return "floor met"
	}
	return "**not met**"
}

// cells returns the columns of the row as text.
func (r *row) cells() []string {
	theirs, ratio, target, floor := "", "", bound(r.target), bound(r.floor)
	if r.peer != "" {
		theirs = fmt.Sprintf("%s %s", r.peer, number(r.theirs.median()))
		s := r.ratios()
		ratio = fmt.Sprintf("%.2f (%.2f to %.2f)", s.median(), s.min(), s.max())
	}
	ours := number(r.ours.median())
	if r.limit > 0 {
		ours = "at most " + number(r.ours.max())
		target = "under " + number(r.limit)
	}
	return []string{r.measure, ours, theirs, ratio, target, floor, r.verdict()}
}

// bound returns a bound on a ratio as text: nothing for none.
func bound(v float64) string {
	if v == 0 {
		return ""
	}
	return "≥ " + strconv.FormatFloat(v, 'g', -1, 64)
}

// number returns v with three digits or more, thousands apart.
func number(v float64) string {
	switch {
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}

// writeTable writes rows as a table in Markdown, its columns aligned.
func writeTable(w io.Writer, head []string, rows [][]string) error {
	widths := make([]int, len(head))
	for _, cells := range append([][]string{head}, rows...) {
		for i, c := range cells {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	var b strings.Builder
	line := func(cells []string, pad string) {
		for i, c := range cells {
			b.WriteString("|" + pad + c + strings.Repeat(" ", widths[i]-len([]rune(c))) + pad)
		}
		b.WriteString("|\n")
	}
	line(head, " ")
	rule := make([]string, len(head))
	for i, n := range widths {
		rule[i] = strings.Repeat("-", n+2)
		widths[i] = n + 2
	}
	line(rule, "")
	for i := range widths {
		widths[i] -= 2
	}
	for _, cells := range rows {
		line(cells, " ")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
