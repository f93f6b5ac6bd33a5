package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
)

// Sizes of a PNG, in pixels on a side.
const (
	// DefaultSize is the least size of a PNG that is asked for with 0.
	DefaultSize = 256

	// MaxSize is the largest size that can be asked for.
	MaxSize = 4096
)

// ErrSize says that a size is negative or above [MaxSize].
var ErrSize = errors.New("qr: size out of bounds")

// PNG returns the code as a square PNG image in black and white, one bit per
// pixel. Each module is the same whole number of pixels, the smallest with
// which the image, quiet zone included, has at least minSize pixels on a side;
// so the image may be larger by less than a pixel per module, and is never
// stretched. A minSize of 0 stands for [DefaultSize], 1 for one pixel per
// module.
//
// It returns [ErrSize] if minSize is negative or above [MaxSize], and
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
	return drawPNG(c.dark(), c.side(), (minSize+c.side()-1)/c.side()), nil
}

// DataURI returns what [Code.PNG] returns as a URI with the image in it, for
// the src of an <img>: "data:image/png;base64,…". A content security policy
// must allow data: in img-src. html/template replaces such a URI by
// "#ZgotmplZ" unless it is handed over as a [html/template.URL]; that is safe,
// because the URI is base64 and nothing of the text is in it verbatim.
func (c *Code) DataURI(minSize int) (string, error) {
	image, err := c.PNG(minSize)
	if err != nil {
		return "", err
	}
	const prefix = "data:image/png;base64,"
	b := make([]byte, 0, len(prefix)+base64.StdEncoding.EncodedLen(len(image)))
	return string(base64.StdEncoding.AppendEncode(append(b, prefix...), image)), nil
}

// Of the PNG specification, third edition.
const (
	signature  = "\x89PNG\r\n\x1a\n" // section 5.2
	filterNone = 0                   // section 9.2
	filterUp   = 2                   // the difference to the row above
)

// A drawing is what drawing a PNG needs and the next one can use again. Most
// of that is the compressor, which costs more to make than to use.
type drawing struct {
	out bytes.Buffer
	zip *zlib.Writer
	row []byte
}

var drawings = sync.Pool{New: func() any { return &drawing{zip: zlib.NewWriter(nil)} }}

// drawPNG returns an image of side × scale pixels on a side.
//
// image/png could write it from an image.Paletted. Packing the bits here, with
// rows that repeat the one above as differences of zero, takes a fraction of
// the time.
func drawPNG(dark [][]bool, side, scale int) []byte {
	d := drawings.Get().(*drawing)
	defer drawings.Put(d)
	pixels := side * scale

	// No Write below returns an error: a bytes.Buffer has none.
	d.out.Reset()
	d.zip.Reset(&d.out)
	d.row = slices.Grow(d.row[:0], rowLen(pixels))[:rowLen(pixels)]
	for y := range side {
		d.row[0] = filterNone
		fill(d.row[1:], white)
		if y >= QuietZone && y < side-QuietZone {
			for x, isDark := range dark[y-QuietZone] {
				if isDark {
					blacken(d.row[1:], (QuietZone+x)*scale, scale)
				}
			}
		}
		d.zip.Write(d.row)
		clear(d.row)
		d.row[0] = filterUp
		for range scale - 1 {
			d.zip.Write(d.row)
		}
	}
	d.zip.Close()

	header := binary.BigEndian.AppendUint32(nil, uint32(pixels))
	header = binary.BigEndian.AppendUint32(header, uint32(pixels))
	header = append(header, 1, 0, 0, 0, 0) // one bit of grey; the only methods there are; not interlaced
	image := make([]byte, 0, len(signature)+3*12+len(header)+d.out.Len())
	image = append(image, signature...)
	image = appendChunk(image, "IHDR", header)
	image = appendChunk(image, "IDAT", d.out.Bytes())
	return appendChunk(image, "IEND", nil)
}

// white is eight white pixels.
const white = 0xff

// rowLen returns the length of a row of that many pixels, in bytes: its filter
// and eight pixels to a byte.
func rowLen(pixels int) int { return 1 + (pixels+7)/8 }

// fill sets every byte of row to b.
func fill(row []byte, b byte) {
	for i := range row {
		row[i] = b
	}
}

// blacken makes n pixels of the row black, from x on.
func blacken(row []byte, x, n int) {
	for ; n > 0; x, n = x+1, n-1 {
		row[x/8] &^= 0x80 >> (x % 8)
	}
}

// appendChunk appends a chunk with its length and checksum (section 5.3).
func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	start := len(b)
	b = append(b, kind...)
	b = append(b, data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}
