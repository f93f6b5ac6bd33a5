package bench

import (
	"bytes"
	"image/png"

	"github.com/pquerna/otp"

	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Picture holds two ways to draw an otpauth URI as a PNG.
type Picture struct {
	uri string
	key *otp.Key
}

// imageSize is the side of the image in pixels; ours has at least as many.
const imageSize = 256

// NewPicture returns the ways to draw the URI that the library makes for a key.
func NewPicture() (*Picture, error) {
	t, err := NewTOTP()
	if err != nil {
		return nil, err
	}
	uri, err := t.key.URI(totp.Label{Issuer: "Acme", Account: "alice@example.com"})
	if err != nil {
		return nil, err
	}
	key, err := otp.NewKeyFromURL(uri)
	return &Picture{uri: uri, key: key}, err
}

// Ours draws it with package qr.
func (p *Picture) Ours() *Side {
	return &Side{Name: "qr.New, Code.PNG", Op: func(int) error { _, err := p.ours(); return err }}
}

// Pquerna draws it as the documentation of github.com/pquerna/otp shows.
func (p *Picture) Pquerna() *Side {
	return &Side{Name: "pquerna Key.Image, png.Encode", Op: func(int) error { _, err := p.pquerna(); return err }}
}

// Sizes returns how many bytes each PNG has.
func (p *Picture) Sizes() (ours, pquerna int, err error) {
	a, err := p.ours()
	if err != nil {
		return 0, 0, err
	}
	b, err := p.pquerna()
	return len(a), len(b), err
}

func (p *Picture) ours() ([]byte, error) {
	code, err := qr.New(p.uri)
	if err != nil {
		return nil, err
	}
	return code.PNG(imageSize)
}

func (p *Picture) pquerna() ([]byte, error) {
	image, err := p.key.Image(imageSize, imageSize)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = png.Encode(&buf, image)
	return buf.Bytes(), err
}
