package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"github.com/unwindhq/unwind"
)

// show writes items in the format that was asked for. row gives an item's cells.
func show[T any](a *app, head []string, items []T, row func(T) []string) error {
	w := bufio.NewWriter(a.stdout)
	switch a.format {
	case "json":
		if items == nil {
			items = []T{}
		}
		if err := writeJSON(w, items); err != nil {
			return err
		}
	case "jsonl":
		if err := writeLines(w, items); err != nil {
			return err
		}
	default:
		rows := [][]string{head}
		for _, it := range items {
			cells := row(it)
			for i := range cells {
				cells[i] = printable(cells[i])
			}
			rows = append(rows, cells)
		}
		write := writeTable
		if len(items) > 0 && a.columns > 0 && width(rows) > a.columns {
			write = func(w io.Writer, rows [][]string) error { return writeRecords(w, rows, a.columns) }
		}
		if err := write(w, rows); err != nil {
			return err
		}
	}
	return w.Flush()
}

// showOne writes one thing: its text in a table's place, else JSON.
func showOne[T any](a *app, item T, text func(io.Writer)) error {
	w := bufio.NewWriter(a.stdout)
	var err error
	switch a.format {
	case "json":
		err = writeJSON(w, item)
	case "jsonl":
		err = writeLines(w, []T{item})
	default:
		text(w)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func writeLines[T any](w io.Writer, items []T) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, it := range items {
		if err := e.Encode(it); err != nil {
			return err
		}
	}
	return nil
}

// printable takes out what would move a terminal's cursor, turn the direction of
// its text or not be seen at all.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '·'
		}
		return r
	}, s)
}

// printableLines leaves the lines of a text as they are.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

func when(t unwind.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04:05Z")
}

// exactly is when of what follows something else within a second.
func exactly(t unwind.Time) string { return t.Format("2006-01-02 15:04:05.000Z") }

func age(t unwind.Time, now time.Time) string {
	d := now.Sub(t.Time)
	switch {
	case t.IsZero():
		return "-"
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// more says on stderr how to read on.
func (a *app) more(cursor string) {
	if cursor != "" {
		a.say("there are more: add --cursor %s (or --all)", cursor)
	}
}

// say tells people something; what others wrote in it does no harm.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintln(a.stderr, printableLines(fmt.Sprintf(format, args...)))
}

// redrawn begins a line of a terminal anew. What is too long for it is cut off: a
// line that wraps can't be drawn anew.
func redrawn(line string, columns int) string { return "\r\x1b[K" + short(line, columns) }

// fitting leaves out the last of the parts of a line, between semicolons, that a terminal
// has no place for.
func fitting(line string, columns int) string {
	for runewidth.StringWidth(line) > columns {
		end := strings.LastIndex(line, "; ")
		if end < 0 {
			break
		}
		line = line[:end]
	}
	return line
}

func isTerminal(w io.Writer) bool { return columnsOf(w) > 0 && os.Getenv("TERM") != "dumb" }

// columnsOf is how many places a line of a terminal has; 0: it is none.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return cmp.Or(columns, 80) // a serial line does not know
}

// each reads every page of a list.
func each[T any](read func(unwind.Page) (unwind.List[T], error), do func(*T) error) error {
	page := unwind.Page{Limit: maxPage}
	for {
		list, err := read(page)
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err := do(&list.Items[i]); err != nil {
				return err
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}
