package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// writeTable writes rows as columns, as wide as a terminal shows them: a character
// of Chinese or an emoji takes two places, an accent none.
func writeTable(w io.Writer, rows [][]string) error {
	widths := widthsOf(rows)
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i < len(row)-1 {
				cell = runewidth.FillRight(cell, widths[i]+2)
			}
			line.WriteString(cell)
		}
		if _, err := fmt.Fprintln(w, line.String()); err != nil {
			return err
		}
	}
	return nil
}

// widthsOf is how many places each column needs.
func widthsOf(rows [][]string) (widths []int) {
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	return widths
}

// width is that of a table.
func width(rows [][]string) int {
	places := -2
	for _, w := range widthsOf(rows) {
		places += w + 2
	}
	return places
}

// writeRecords writes the rows of a table that is wider than its terminal: each over
// some lines, the name of a column before what stands in it. Dashes are left out.
func writeRecords(w io.Writer, rows [][]string, columns int) error {
	for _, row := range rows[1:] {
		text, at := row[0], runewidth.StringWidth(row[0])
		for i, cell := range row[1:] {
			if cell == "" || cell == "-" {
				continue
			}
			cell = rows[0][i+1] + " " + cell
			places := runewidth.StringWidth(cell)
			if at+2+places > columns {
				text, at = text+"\n", 0
				cell = fold(cell, columns-2)
			}
			text, at = text+"  "+cell, at+2+places
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// writeTries writes commands, each with what it does.
func writeTries(w io.Writer, tries [][2]string) {
	rows := make([][]string, len(tries))
	for i, try := range tries {
		rows[i] = []string{"  " + try[0], try[1]}
	}
	_ = writeTable(w, rows) // to a terminal
}

func upper(words []string) []string {
	return strings.Split(strings.ToUpper(strings.Join(words, "\n")), "\n")
}

// short cuts a text to as many places of a terminal.
func short(s string, places int) string { return runewidth.Truncate(s, places, "…") }

// fold breaks a text into lines of so many places of a terminal, but for longer words.
func fold(text string, width int) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		n := runewidth.StringWidth(word)
		switch {
		case at == 0:
		case at+1+n > width:
			b.WriteString("\n  ")
			at = 2
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
