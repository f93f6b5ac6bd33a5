package qr

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/skip2/go-qrcode"
)

const (
	// QuietZone is how many light modules every output has around the symbol,
	// on each of its four sides: as many as ISO/IEC 18004 requires.
	QuietZone = 4

	// MaxText is the length of the longest text that [New] takes, in bytes:
	// what the largest symbol, version 40, holds of arbitrary bytes at level M
	// (ISO/IEC 18004:2015, table 7). Cameras of phones struggle long before
	// that; an otpauth URI is usually below 200 bytes.
	MaxText = 2331
)

// Errors of [New]. They do not quote the text.
var (
	// ErrEmpty says that there is no text.
	ErrEmpty = errors.New("qr: no text to encode")

	// ErrTooLong says that the text is longer than [MaxText].
	ErrTooLong = errors.New("qr: text too long")
)

// Code is the QR code of one text. The zero Code has no modules, draws nothing
// and returns ErrEmpty where it can.
//
// It holds what the text holds: printing and encoding show a placeholder. A
// Code is immutable and safe for concurrent use.
type Code struct {
	redacted
	matrix redact.Value[[][]bool] // by row and column, without a quiet zone
}

// New returns the QR code of the text, taken as it is, byte by byte, at error
// correction level M: a symbol of which about 15 percent are lost still reads.
// It takes about a millisecond for an otpauth URI, and the outputs next to
// nothing on top.
//
// It returns [ErrEmpty] for an empty text and [ErrTooLong] for one of more than
// [MaxText] bytes, before it looks at a single one of them.
func New(text string) (*Code, error) {
	switch {
	case text == "":
		return nil, ErrEmpty
	case len(text) > MaxText:
		return nil, ErrTooLong
	}
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, ErrTooLong // the only reason left; err itself is not ours to vouch for
	}
	q.DisableBorder = true // each output draws the quiet zone in its own way
	return &Code{matrix: redact.Of(q.Bitmap())}, nil
}

// dark returns the rows of modules, not to be changed; true is dark.
func (c *Code) dark() [][]bool {
	if c.matrix.IsZero() {
		return nil
	}
	return *c.matrix.Get()
}

// Modules returns the number of modules on a side of the symbol, without the
// quiet zone: 21 to 177, or 0 for the zero Code.
func (c *Code) Modules() int { return len(c.dark()) }

// side returns the number of modules on a side of what is drawn.
func (c *Code) side() int { return c.Modules() + 2*QuietZone }
