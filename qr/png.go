package qr

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"
)

// Sizes of a PNG, in pixels on a side.
const (
	// DefaultSize is the minimum size that 0 stands for.
	DefaultSize = 256

	// MaxSize is the largest size that a caller can ask for.
	MaxSize = 4096
)

// ErrSize says that a size is negative or above [MaxSize].
var ErrSize = errors.New("qr: size out of bounds")

// PNG returns the code as a square PNG image in black and white, with one bit
// per pixel. With the quiet zone, the image has at least minSize pixels on a
// side. All modules have the same whole number of pixels, so that the image is
// never stretched: it can be larger than minSize by less than one pixel per
// module. A minSize of 0 means [DefaultSize], and 1 means one pixel per module.
//
// PNG returns [ErrSize] if minSize is negative or above [MaxSize], and
// [ErrEmpty] for the zero Code.
func (c *Code) PNG(minSize int) ([]byte, error) {
	switch {
	case minSize < 0 || minSize > MaxSize:
		return nil, ErrSize
	case c.Modules() == 0:
		return nil, ErrEmpty
	case minSize == 0:
		minSize = DefaultSize
	}
	return drawPNG(c.dark(), c.side(), (minSize+c.side()-1)/c.side())
}

// DataURI returns the image of [Code.PNG] as a URI for the src of an <img>:
// "data:image/png;base64,…". A content security policy must allow data: in
// img-src. html/template replaces a string with such a URI by "#ZgotmplZ", so
// convert it to [html/template.URL]. That is safe: the URI is base64 and holds
// nothing of the text as it is. DataURI returns the errors of PNG.
func (c *Code) DataURI(minSize int) (string, error) {
	image, err := c.PNG(minSize)
	if err != nil {
		return "", err
	}
	const prefix = "data:image/png;base64,"
	b := make([]byte, 0, len(prefix)+base64.StdEncoding.EncodedLen(len(image)))
	return string(base64.StdEncoding.AppendEncode(append(b, prefix...), image)), nil
}

// black and white are the indices of the palette.
const (
	white = iota
	black
)

var palette = color.Palette{white: color.White, black: color.Black}

// drawPNG returns an image of side × scale pixels on a side.
func drawPNG(dark [][]bool, side, scale int) ([]byte, error) {
	pixels := side * scale
	m := image.NewPaletted(image.Rect(0, 0, pixels, pixels), palette)
	for y, modules := range dark {
		top := m.Pix[(QuietZone+y)*scale*m.Stride:][:scale*m.Stride]
		row := top[:pixels]
		for x, isDark := range modules {
			if isDark {
				for i := range scale {
					row[(QuietZone+x)*scale+i] = black
				}
			}
		}
		for at := m.Stride; at < len(top); at += m.Stride {
			copy(top[at:], row)
		}
	}
	var out bytes.Buffer
	if err := encoder.Encode(&out, m); err != nil {
		return nil, fmt.Errorf("qr: encoding the image: %w", err)
	}
	return out.Bytes(), nil
}

// encoder compresses as well as it can: that takes no longer for a picture of
// the usual size, and makes a large one three times smaller.
var encoder = png.Encoder{CompressionLevel: png.BestCompression, BufferPool: new(buffers)}

// buffers keeps the encoder's compressor, which costs more to make than to use.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

func (b *buffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }
