package qr_test

import (
	"errors"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/skip2/go-qrcode"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// texts are of every size that matters and of every mode that QR codes have.
var texts = []struct{ name, text string }{
	{"one byte", "x"},
	{"one digit", "7"},
	{"digits", "0123456789012345678901234567890123456789"},
	{"alphanumeric", "HTTPS://EXAMPLE.COM/ABC-123"},
	{"otpauth URI", uri},
	{"UTF-8", "otpauth://totp/Zoë Łukasz 田中 🔑"},
	{"not UTF-8", "\xff\xfe\x00\x01 and text"},
	{"controls", "line\nline\r\n\x00\x1b[0m"},
	{"all bytes", allBytes()},
	{"version 9 ends", strings.Repeat("v", 180)},
	{"version 10 begins", strings.Repeat("v", 181)},
	{"version 27 begins", strings.Repeat("v", 1126)},
	{"the longest", strings.Repeat("l", qr.MaxText)},
	{"the longest, mixed", strings.Repeat("Aa0", qr.MaxText/3)},
	{"the longest, digits", strings.Repeat("7", qr.MaxText)},
}

func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// matrix is what a code should look like: rows of modules without quiet zone.
func matrix(tb testing.TB, text string) [][]bool {
	tb.Helper()
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		tb.Fatal(err)
	}
	q.DisableBorder = true
	return q.Bitmap()
}

func newCode(tb testing.TB, text string) *qr.Code {
	tb.Helper()
	c, err := qr.New(text)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// checkMatrix compares what was drawn, quiet zone included, with what should
// have been, and wants each of the four sides to be light.
func checkMatrix(tb testing.TB, drawn [][]bool, want [][]bool) {
	tb.Helper()
	n := len(want)
	if len(drawn) != n+2*qr.QuietZone {
		tb.Fatalf("%d rows were drawn of a symbol of %d modules", len(drawn), n)
	}
	for y, row := range drawn {
		if len(row) != n+2*qr.QuietZone {
			tb.Fatalf("row %d has %d modules", y, len(row))
		}
		for x, dark := range row {
			inside := x >= qr.QuietZone && x < n+qr.QuietZone && y >= qr.QuietZone && y < n+qr.QuietZone
			if dark != (inside && want[y-qr.QuietZone][x-qr.QuietZone]) {
				tb.Fatalf("module %d,%d is drawn dark: %v", x, y, dark)
			}
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCode(t, tt.text)
			if n, want := c.Modules(), len(matrix(t, tt.text)); n != want {
				t.Errorf("%d modules, want %d", n, want)
			}
			if n := c.Modules(); n < 21 || n > 177 || n%4 != 1 {
				t.Errorf("no symbol has %d modules", n)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", qr.ErrEmpty},
		{"one byte too long", strings.Repeat("l", qr.MaxText+1), qr.ErrTooLong},
		{"digits that would fit", strings.Repeat("7", qr.MaxText+1), qr.ErrTooLong},
		{"1 MiB", strings.Repeat("canary", 1<<20/6), qr.ErrTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := qr.New(tt.text)
			if !errors.Is(err, tt.want) || c != nil {
				t.Errorf("code %v, error %v; want %v", c, err, tt.want)
			}
			if err != nil && (len(err.Error()) > 60 || strings.Contains(err.Error(), "canary")) {
				t.Errorf("the error quotes the text: %v", err)
			}
		})
	}
}

func TestZeroCode(t *testing.T) {
	t.Parallel()
	var c qr.Code
	if c.Modules() != 0 || c.SVG("title") != "" || c.Terminal(qr.Dark) != "" {
		t.Error("the zero Code draws something")
	}
	if b, err := c.PNG(0); !errors.Is(err, qr.ErrEmpty) || b != nil {
		t.Errorf("PNG: %d bytes, %v", len(b), err)
	}
	if s, err := c.DataURI(0); !errors.Is(err, qr.ErrEmpty) || s != "" {
		t.Errorf("DataURI: %q, %v", s, err)
	}
}

func TestCodeIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newCode(t, uri)
	image, err := c.PNG(256)
	if err != nil {
		t.Fatal(err)
	}
	svg, text := c.SVG("title"), c.Terminal(qr.Light)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			other, err := qr.New("other" + strconv.Itoa(i))
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 {
				b, err := c.PNG(256)
				if err != nil || string(b) != string(image) {
					t.Errorf("another PNG: %v", err)
				}
				if _, err := other.PNG(100 * (i + 1)); err != nil {
					t.Error(err)
				}
				if c.SVG("title") != svg || c.Terminal(qr.Light) != text {
					t.Error("another SVG or terminal text")
				}
			}
		})
	}
	wg.Wait()
}

// Drawing with a network that panics works, because there is none involved.
func TestCase33_NoNetwork(t *testing.T) {
	was := http.DefaultTransport
	http.DefaultTransport = panicking{}
	defer func() { http.DefaultTransport = was }()

	c := newCode(t, uri)
	if _, err := c.PNG(0); err != nil {
		t.Error(err)
	}
	if _, err := c.DataURI(0); err != nil {
		t.Error(err)
	}
	for what, output := range map[string]string{"SVG": c.SVG("title"), "terminal": c.Terminal(qr.Dark)} {
		if output == "" {
			t.Errorf("%s: nothing", what)
		}
		// An address in an attribute would make the browser fetch it.
		for _, s := range []string{"href", "src=", "url(", "<image", "<script", "<style"} {
			if strings.Contains(output, s) {
				t.Errorf("%s contains %q", what, s)
			}
		}
	}

	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	allowed := map[string]bool{
		"bytes": true, "encoding/base64": true, "encoding/xml": true, "errors": true, "fmt": true,
		"image": true, "image/color": true, "image/png": true, "io": true, "log/slog": true, "strconv": true, "strings": true, "sync": true, "github.com/skip2/go-qrcode": true,
		"github.com/seed-1b6a03a1/twofactor/internal/redact": true,
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !allowed[path] {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("the network was used") }

// The outputs are pictures of one matrix, whatever the text.
func FuzzNew(f *testing.F) {
	for _, tt := range texts {
		if len(tt.text) < 400 {
			f.Add(tt.text, uint16(256), "title")
		}
	}
	f.Add("", uint16(0), "")
	f.Add(strings.Repeat("l", qr.MaxText+1), uint16(0), "")
	f.Add("text", uint16(qr.MaxSize+1), "<title> & \"more\" \x00\xff\n")
	f.Fuzz(func(t *testing.T, text string, size uint16, title string) {
		if len(text) > 400 && len(text) <= qr.MaxText || size > 600 && size <= qr.MaxSize {
			return // fine, and so slow to read back that the fuzzer takes it for a hang
		}
		c, err := qr.New(text)
		if err != nil {
			if c != nil || !errors.Is(err, qr.ErrEmpty) && !errors.Is(err, qr.ErrTooLong) {
				t.Fatalf("code %v, error %v", c, err)
			}
			return
		}
		fromSVG := readSVG(t, c.SVG(title), title)
		checkMatrix(t, fromSVG, matrix(t, text))
		for _, bg := range []qr.Background{qr.Dark, qr.Light} {
			if !reflect.DeepEqual(readTerminal(t, c.Terminal(bg), bg), fromSVG) {
				t.Fatalf("terminal text on %v and SVG differ", bg)
			}
		}
		image, err := c.PNG(int(size))
		if size > qr.MaxSize {
			if !errors.Is(err, qr.ErrSize) {
				t.Fatalf("a size of %d: %v", size, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(readPNG(t, image, int(size)), fromSVG) {
			t.Fatal("PNG and SVG differ")
		}
	})
}
