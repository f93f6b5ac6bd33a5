package qr

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// SVG returns the code as an SVG image, to put inline in a page or to serve as
// image/svg+xml. The image has no fixed size and fills the element around it;
// one unit is one module. Its background is white on any page, because many apps
// can't read a light code on a dark page.
//
// A screen reader reads the title instead of the picture, and a browser shows it
// under the pointer. The title should say what the code is for ("QR code for
// your account at Acme") and must not repeat the text of the code. It can be any
// text, since SVG escapes it. With an empty title, the image has none. Convert
// the result to [html/template.HTML] for html/template.
//
// SVG returns "" for the zero Code.
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
		xml.EscapeText(&b, []byte(title)) // returns the errors of b, which never fails
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

// run returns the number of dark modules at the start of the row.
func run(row []bool) int {
	for n, isDark := range row {
		if !isDark {
			return n
		}
	}
	return len(row)
}
