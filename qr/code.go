package qr

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/skip2/go-qrcode"
)

const (
	// QuietZone is the number of light modules on each side of the symbol in every output,
	// as ISO/IEC 18004 requires.
	QuietZone = 4

	// MaxText is the length of the longest text that [New] accepts, in bytes. The largest
	// symbol, version 40, holds that many arbitrary bytes at level M (ISO/IEC 18004:2015,
	// table 7). Phone cameras already fail at much smaller symbols. An otpauth URI usually
	// has fewer than 200 bytes.
	MaxText = 2331
)

// Errors of [New]. They do not quote the text.
var (
	// ErrEmpty says that there is no text.
	ErrEmpty = errors.New("qr: no text to encode")

	// ErrTooLong says that the text is longer than [MaxText].
	ErrTooLong = errors.New("qr: text too long")
)

// A Code is the QR code of one text. It is as secret as the text: it prints as a
// placeholder and can't be encoded. A Code never changes and is safe for
// concurrent use.
//
// The zero Code has no modules. Its methods return [ErrEmpty] or an empty text.
type Code struct {
	redacted
	matrix redact.Value[[][]bool] // by row and column, without a quiet zone
}

// New returns the QR code of the bytes of the text at error correction level M:
// the symbol can still be read if about 15 percent of it are lost. New takes
// about a millisecond for an otpauth URI.
//
// It returns [ErrEmpty] for an empty text, and [ErrTooLong], before it looks at
// the text, if that has more than [MaxText] bytes.
func New(text string) (*Code, error) {
	switch {
	case text == "":
		return nil, ErrEmpty
	case len(text) > MaxText:
		return nil, ErrTooLong
	}
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, ErrTooLong // the only reason left; err itself may quote the text
	}
	q.DisableBorder = true // each output draws its own quiet zone
	return &Code{matrix: redact.Of(q.Bitmap())}, nil
}

// dark returns the rows of modules; true is dark. Callers must not change them.
func (c *Code) dark() [][]bool {
	if c.matrix.IsZero() {
		return nil
	}
	return *c.matrix.Get()
}

// Modules returns the number of modules on a side of the symbol, without the
// quiet zone. It is 21 to 177, or 0 for the zero Code.
func (c *Code) Modules() int { return len(c.dark()) }

// side returns the number of modules on a side, with the quiet zone.
func (c *Code) side() int { return c.Modules() + 2*QuietZone }
