package qr

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// SVG returns the code as an SVG image to put inline in a page or to serve as
// image/svg+xml. It has no size of its own and fills what it is put into; one
// unit is one module. The background is white whatever is behind it, because
// many apps do not read a light code on a dark page.
//
// The title is what a screen reader says instead of the picture and what a
// browser shows when the pointer rests on it. It is escaped, so that it may hold
// any text; it should say what the code is for ("QR code for your account at
// Acme") and never repeat the text in it. An empty one is left out. The result
// can be handed to html/template as [html/template.HTML].
//
// For the zero Code it returns "".
func (c *Code) SVG(title string) string {
	if c.Modules() == 0 {
		return ""
	}
	side := strconv.Itoa(c.side())
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + ` ` + side +
		`" role="img" shape-rendering="crispEdges">`)
	if title != "" {
		b.WriteString("<title>")
		xml.EscapeText(&b, []byte(title)) // returns the errors of b, which has none
		b.WriteString("</title>")
	}
	b.WriteString(`<rect width="` + side + `" height="` + side + `" fill="#fff"/><path fill="#000" d="`)
	b.Write(appendPath(nil, c.dark()))
	b.WriteString(`"/></svg>`)
	return b.String()
}

// appendPath appends a rectangle for every run of dark modules in a row.
func appendPath(d []byte, dark [][]bool) []byte {
	for y, row := range dark {
		for x := 0; x < len(row); {
			n := run(row[x:])
			if n == 0 {
				x++
				continue
			}
			d = strconv.AppendInt(append(d, 'M'), int64(QuietZone+x), 10)
			d = strconv.AppendInt(append(d, ' '), int64(QuietZone+y), 10)
			d = strconv.AppendInt(append(d, 'h'), int64(n), 10)
			d = strconv.AppendInt(append(d, "v1h-"...), int64(n), 10)
			d = append(d, 'z')
			x += n
		}
	}
	return d
}

// run returns the number of dark modules that row begins with.
func run(row []bool) int {
	for n, isDark := range row {
		if !isDark {
			return n
		}
	}
	return len(row)
}
