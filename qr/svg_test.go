package qr_test

import (
	"encoding/xml"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An svg is the image as an XML parser sees it. Anything else in it is left
// out, so readSVG counts.
type svg struct {
	XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
	ViewBox string   `xml:"viewBox,attr"`
	Role    string   `xml:"role,attr"`
	Edges   string   `xml:"shape-rendering,attr"`
	Width   *string  `xml:"width,attr"`
	Height  *string  `xml:"height,attr"`
	Titles  []string `xml:"title"`
	Rects   []struct {
		X      int    `xml:"x,attr"`
		Y      int    `xml:"y,attr"`
		Width  int    `xml:"width,attr"`
		Height int    `xml:"height,attr"`
		Fill   string `xml:"fill,attr"`
	} `xml:"rect"`
	Paths []struct {
		D    string `xml:"d,attr"`
		Fill string `xml:"fill,attr"`
	} `xml:"path"`
}

var rectangle = regexp.MustCompile(`^M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// readSVG draws the paths of an image on a grid of its own and returns the
// modules. It checks everything else that the image has to have.
func readSVG(tb testing.TB, text, title string) [][]bool {
	tb.Helper()
	var image svg
	if err := xml.Unmarshal([]byte(text), &image); err != nil {
		tb.Fatalf("%v in %.300s", err, text)
	}
	elements := 3
	if title == "" {
		elements = 2
	}
	if n := strings.Count(text, "<") - strings.Count(text, "</"); n != elements+1 {
		tb.Fatalf("%d elements, want %d in an svg", n, elements)
	}
	if len(image.Rects) != 1 || len(image.Paths) != 1 || len(image.Titles) != elements-2 {
		tb.Fatalf("%d rects, %d paths, %d titles", len(image.Rects), len(image.Paths), len(image.Titles))
	}
	if image.Role != "img" || image.Edges != "crispEdges" || image.Width != nil || image.Height != nil {
		tb.Fatalf("attributes in %.200s", text)
	}
	side := image.Rects[0].Width
	if want := "0 0 " + strconv.Itoa(side) + " " + strconv.Itoa(side); image.ViewBox != want {
		tb.Fatalf("viewBox %q, want %q", image.ViewBox, want)
	}
	if r := image.Rects[0]; r.X != 0 || r.Y != 0 || r.Height != side || r.Fill != "#fff" {
		tb.Fatalf("background %+v", r)
	}
	if image.Paths[0].Fill != "#000" || strings.Index(text, "<rect") > strings.Index(text, "<path") {
		tb.Fatal("the path is not black, or under the background")
	}

	rows := make([][]bool, side)
	for y := range rows {
		rows[y] = make([]bool, side)
	}
	for d := image.Paths[0].D; d != ""; {
		m := rectangle.FindStringSubmatch(d)
		if m == nil || m[3] != m[4] {
			tb.Fatalf("path %.40q", d)
		}
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		for i := range n {
			if rows[y][x+i] {
				tb.Fatalf("module %d,%d is drawn twice", x+i, y)
			}
			rows[y][x+i] = true
		}
		d = d[len(m[0]):]
	}
	return rows
}

func TestSVG(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkMatrix(t, readSVG(t, newCode(t, tt.text).SVG("title"), "title"), matrix(t, tt.text))
		})
	}
}

func TestSVGTitle(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"none", "", ""},
		{"plain", "QR code for Acme", "QR code for Acme"},
		{"markup", `</title><script>alert("x" & 'y')</script>`, `</title><script>alert("x" & 'y')</script>`},
		{"end of CDATA", "]]>", "]]>"},
		{"entity", "&amp;lt;", "&amp;lt;"},
		{"lines", "a\nb\r\tc", "a\nb\r\tc"},
		{"other scripts", "Zoë 田中 🔑", "Zoë 田中 🔑"},
		{"what XML has no character for", "a\x00b\x1bc\ufffed", "a\ufffdb\ufffdc\ufffdd"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
	}
	c := newCode(t, uri)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := c.SVG(tt.in)
			checkMatrix(t, readSVG(t, text, tt.in), matrix(t, uri))
			var image svg
			if err := xml.Unmarshal([]byte(text), &image); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(image.Titles, "|"); got != tt.want {
				t.Errorf("title %q, want %q", got, tt.want)
			}
			for _, tag := range []string{"<script", "<!", "<?"} {
				if strings.Contains(text, tag) {
					t.Errorf("%s in %.300s", tag, text)
				}
			}
		})
	}
}

func TestSVGDoesNotHoldTheText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"otpauth", "JBSWY3DP", "alice"} {
		if strings.Contains(newCode(t, uri).SVG("title"), s) {
			t.Errorf("the image has %q in clear", s)
		}
	}
}

func TestSVGInATemplate(t *testing.T) {
	t.Parallel()
	text := newCode(t, uri).SVG("a & b")
	var page strings.Builder
	if err := template.Must(template.New("page").Parse(`{{.}}`)).Execute(&page, template.HTML(text)); err != nil {
		t.Fatal(err)
	}
	if page.String() != text {
		t.Error("html/template changes the image")
	}
}
