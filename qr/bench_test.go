package qr_test

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/pquerna/otp"
	"github.com/skip2/go-qrcode"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// uri is a text of the kind that this package is for; 114 bytes.
const uri = "otpauth://totp/Acme:alice%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme&digits=6&period=30"

// From the text to a PNG of at least 256 pixels.
func BenchmarkTextToPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		code, err := qr.New(uri)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := code.PNG(256); err != nil {
			b.Fatal(err)
		}
	}
}

// The same with pquerna/otp, as its documentation shows it.
func BenchmarkTextToPNGPquerna(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pquernaPNG(); err != nil {
			b.Fatal(err)
		}
	}
}

func pquernaPNG() ([]byte, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, err
	}
	image, err := key.Image(256, 256)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = png.Encode(&buf, image)
	return buf.Bytes(), err
}

// The same with go-qrcode alone.
func BenchmarkTextToPNGSkip2(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := qrcode.Encode(uri, qrcode.Medium, 256); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := qr.New(uri); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	code, err := qr.New(uri)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := code.PNG(256); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	code, err := qr.New(uri)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		code.SVG("title")
	}
}

func BenchmarkTerminal(b *testing.B) {
	code, err := qr.New(uri)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		code.Terminal(qr.Dark)
	}
}
