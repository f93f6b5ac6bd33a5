package qr_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// readPNG returns the modules of an image, and checks that it is as large as it
// has to be for that size, no larger, black and white, and that each of its
// modules is a square of one whole number of pixels.
func readPNG(tb testing.TB, b []byte, minSize int) [][]bool {
	tb.Helper()
	if minSize == 0 {
		minSize = qr.DefaultSize
	}
	decoded, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	m, ok := decoded.(*image.Paletted)
	size := decoded.Bounds().Dx()
	if !ok || decoded.Bounds() != image.Rect(0, 0, size, size) {
		tb.Fatalf("%T of %v", decoded, decoded.Bounds())
	}
	dark := func(x, y int) bool {
		switch m.At(x, y) {
		case color.RGBA{0, 0, 0, 0xff}:
			return true
		case color.RGBA{0xff, 0xff, 0xff, 0xff}:
			return false
		}
		tb.Fatalf("pixel %d,%d is neither black nor white", x, y)
		return false
	}
	// The finder pattern in the corner begins with seven dark modules.
	first := 0
	for !dark(first, first) {
		if first++; first == size {
			tb.Fatal("the image is white")
		}
	}
	scale := first / qr.QuietZone
	if scale == 0 || size%scale != 0 {
		tb.Fatalf("%d pixels on a side and %d for a module", size, scale)
	}
	side := size / scale
	if size < minSize || scale > 1 && side*(scale-1) >= minSize {
		tb.Fatalf("%d pixels were asked for and %d drawn, of %d modules", minSize, size, side)
	}
	rows := make([][]bool, side)
	for y := range rows {
		rows[y] = make([]bool, side)
		for x := range rows[y] {
			rows[y][x] = dark(x*scale, y*scale)
		}
	}
	for y := range size {
		top := y - y%scale
		if y != top {
			if !bytes.Equal(m.Pix[y*m.Stride:][:size], m.Pix[top*m.Stride:][:size]) {
				tb.Fatalf("row %d is not like row %d of the same modules", y, top)
			}
			continue
		}
		for x := range size {
			if dark(x, y) != rows[y/scale][x/scale] {
				tb.Fatalf("pixel %d,%d is not like the rest of its module", x, y)
			}
		}
	}
	return rows
}

func TestPNG(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCode(t, tt.text)
			side := c.Modules() + 2*qr.QuietZone
			want := matrix(t, tt.text)
			sizes := []int{0, 1, 2, side - 1, side, side + 1, 3 * side, 3*side + 1, 300}
			if len(tt.text) > 1000 {
				sizes = []int{0, 1, side + 1} // the rest is no different, and takes long
			}
			for _, size := range sizes {
				image, err := c.PNG(size)
				if err != nil {
					t.Fatalf("size %d: %v", size, err)
				}
				checkMatrix(t, readPNG(t, image, size), want)
			}
		})
	}
}

func TestPNGSizes(t *testing.T) {
	t.Parallel()
	c := newCode(t, uri) // 41 modules and the quiet zone are 49
	tests := []struct{ size, want int }{
		{0, 294}, {1, 49}, {49, 49}, {50, 98}, {98, 98}, {99, 147}, {256, 294}, {294, 294}, {295, 343},
		{4095, 4116}, {qr.MaxSize, 4116},
	}
	for _, tt := range tests {
		image, err := c.PNG(tt.size)
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(image))
		if err != nil {
			t.Fatal(err)
		}
		if config.Width != tt.want || config.Height != tt.want {
			t.Errorf("size %d: %d × %d pixels, want %d", tt.size, config.Width, config.Height, tt.want)
		}
		if image[24] != 1 {
			t.Errorf("size %d: %d bits per pixel, want 1", tt.size, image[24])
		}
	}
	image, err := c.PNG(qr.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	checkMatrix(t, readPNG(t, image, qr.MaxSize), matrix(t, uri))

	for _, size := range []int{-1, math.MinInt, qr.MaxSize + 1, math.MaxInt} {
		if image, err := c.PNG(size); !errors.Is(err, qr.ErrSize) || image != nil {
			t.Errorf("size %d: %d bytes, %v; want ErrSize", size, len(image), err)
		}
		if s, err := c.DataURI(size); !errors.Is(err, qr.ErrSize) || s != "" {
			t.Errorf("size %d: %q, %v; want ErrSize", size, s, err)
		}
	}
}

// A large picture must not leave anything behind in a small one that is drawn
// after it with the same buffers, nor the other way round.
func TestPNGDoesNotDependOnTheOneBefore(t *testing.T) {
	t.Parallel()
	a, b := newCode(t, uri), newCode(t, strings.Repeat("b", 500))
	want, err := a.PNG(256)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4000, 1, 256, 3000, 2} {
		if _, err := b.PNG(size); err != nil {
			t.Fatal(err)
		}
		got, err := a.PNG(256)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("after one of %d pixels: another picture, %v", size, err)
		}
	}
}

func TestPNGIsSmallerThanPquernas(t *testing.T) {
	t.Parallel()
	theirs, err := pquernaPNG()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := newCode(t, uri).PNG(256)
	if err != nil {
		t.Fatal(err)
	}
	if len(ours)*2 > len(theirs) {
		t.Errorf("%d bytes, and pquerna's has %d", len(ours), len(theirs))
	}
}

func TestDataURI(t *testing.T) {
	t.Parallel()
	c := newCode(t, uri)
	for _, size := range []int{0, 1, 500} {
		image, err := c.PNG(size)
		if err != nil {
			t.Fatal(err)
		}
		src, err := c.DataURI(size)
		if err != nil {
			t.Fatal(err)
		}
		data, ok := strings.CutPrefix(src, "data:image/png;base64,")
		if !ok {
			t.Fatalf("it begins with %.30q", src)
		}
		decoded, err := base64.StdEncoding.DecodeString(data)
		if err != nil || !bytes.Equal(decoded, image) {
			t.Errorf("size %d: the URI holds another picture, %v", size, err)
		}
	}

	// As the documentation says: a plain string does not get through.
	src, err := c.DataURI(0)
	if err != nil {
		t.Fatal(err)
	}
	page := template.Must(template.New("page").Parse(`<img src="{{.}}">`))
	var plain, declared strings.Builder
	if err := page.Execute(&plain, src); err != nil {
		t.Fatal(err)
	}
	if err := page.Execute(&declared, template.URL(src)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plain.String(), "#ZgotmplZ") || strings.Contains(declared.String(), "#ZgotmplZ") {
		t.Errorf("%.60s and %.60s", plain.String(), declared.String())
	}
}
