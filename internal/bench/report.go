package main

import (
	"fmt"
	"io"
)

// A report is what a comparison found.
type report struct {
	rows   []row
	tables []table
	notes  []string // whole sentences
}

// A table is one beside the main table.
type table struct {
	title string
	head  []string
	rows  [][]string
}

// add appends what another comparison found.
func (r *report) add(other *report) {
	r.rows = append(r.rows, other.rows...)
	r.tables = append(r.tables, other.tables...)
	r.notes = append(r.notes, other.notes...)
}

// write writes the report in Markdown, after a line on the machine.
func (r *report) write(w io.Writer, machine string, rounds int) error {
	_, err := fmt.Fprintf(w, "%s\nRatios are of interleaved runs: the median of %d rounds, the least and the greatest; more is better for us.\n\n", machine, rounds)
	if err != nil {
		return err
	}
	var cells [][]string
	for i := range r.rows {
		cells = append(cells, r.rows[i].cells())
	}
	if err := writeTable(w, []string{"measure", "netboot", "peer", "ratio", "target", "floor", ""}, cells); err != nil {
		return err
	}
	for _, t := range r.tables {
		if _, err := fmt.Fprintf(w, "\n%s\n\n", t.title); err != nil {
			return err
		}
		if err := writeTable(w, t.head, t.rows); err != nil {
			return err
		}
	}
	for _, n := range r.notes {
		if _, err := fmt.Fprintf(w, "\n%s\n", n); err != nil {
			return err
		}
	}
	return nil
}
