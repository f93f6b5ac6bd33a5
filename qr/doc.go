// Package qr draws a text as a QR code (ISO/IEC 18004), as PNG, SVG or blocks
// of a terminal, for an authenticator app to scan.
//
//	code, err := qr.New(uri)
//	src, err := code.DataURI(0)           // <img src="…">, nothing else to serve
//	svg := code.SVG("QR code for Acme")   // inline in a page, sharp at any size
//	fmt.Print(code.Terminal(qr.Dark))     // in a command-line tool
//
// What it draws is meant to be scanned at the first try: error correction at
// level M, a quiet zone of four modules on every side (as ISO/IEC 18004:2015,
// section 9.1, asks for), black on white, and modules that are all the same
// whole number of pixels wide.
//
// # Secrets
//
// The text of an enrolment holds the shared secret, so its picture does, too.
// It is drawn here, in the process: no service on the network sees it. A [Code]
// shows a placeholder in fmt, log/slog and encoding/json, and errors never
// quote the text. What the methods return is the secret again, readable by
// anything with eyes: answer with Cache-Control: no-store, keep it out of
// logs, and mind that a terminal scrolls back.
//
// The package is pure: it does no input or output, never looks at the clock and
// starts no goroutine. It imports the standard library without any of net, and
// github.com/skip2/go-qrcode for the matrix.
package qr
