// Package qr draws a text as a QR code (ISO/IEC 18004) for an authenticator app
// to scan: as PNG, as SVG, or as characters for a terminal.
//
//	code, err := qr.New(uri)
//	src, err := code.DataURI(0)           // <img src="…">, with no second request
//	svg := code.SVG("QR code for Acme")   // inline in a page, sharp at any size
//	fmt.Print(code.Terminal(qr.Dark))     // in a command-line tool
//
// The pictures are made to be read at the first try. They are black on white,
// with error correction at level M, a quiet zone of four modules on each side
// (ISO/IEC 18004:2015, section 9.1), and modules of equal size.
//
// # Secrets
//
// The text of an enrolment holds the shared secret, and so does its picture.
// The process draws it; no service on the network sees it. A [Code] prints as a
// placeholder in fmt and log/slog, refuses to be encoded, and errors never quote
// the text. But what PNG, DataURI, SVG and Terminal return shows the secret to
// anyone who sees it: respond with Cache-Control: no-store, keep it out of logs,
// and remember that a terminal can be scrolled back.
//
// The package is pure: it does no input or output, reads no clock and starts no
// goroutine. It imports only the standard library, without net, an internal helper
// that redacts, and github.com/skip2/go-qrcode, which computes the modules.
package qr
