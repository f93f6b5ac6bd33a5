package qr_test

import (
	"fmt"
	"html/template"
	"log"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// A page with the picture in it, so that no other request has to be answered.
func ExampleCode_DataURI() {
	code, err := qr.New("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")
	if err != nil {
		log.Fatal(err)
	}
	src, err := code.DataURI(0)
	if err != nil {
		log.Fatal(err)
	}
	page := template.Must(template.New("page").Parse(`<img alt="QR code" src="{{.}}">`))
	var b strings.Builder
	if err := page.Execute(&b, template.URL(src)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.String()[:63])
	// Output:
	// <img alt="QR code" src="data:image/png;base64,iVBORw0KGgoAAAANS
}

func ExampleCode_SVG() {
	code, err := qr.New("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")
	if err != nil {
		log.Fatal(err)
	}
	svg := code.SVG("QR code for Acme & Sons")
	fmt.Println(svg[:strings.Index(svg, "<path")])
	// Output:
	// <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 45 45" role="img" shape-rendering="crispEdges"><title>QR code for Acme &amp; Sons</title><rect width="45" height="45" fill="#fff"/>
}

func ExampleCode_PNG() {
	code, err := qr.New("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")
	if err != nil {
		log.Fatal(err)
	}
	image, err := code.PNG(200)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d modules, %q\n", code.Modules(), image[1:4])
	// Output:
	// 37 modules, "PNG"
}

func ExampleCode_Terminal() {
	code, err := qr.New("HELLO")
	if err != nil {
		log.Fatal(err)
	}
	text := code.Terminal(qr.Dark) // what a command-line tool prints
	fmt.Println(strings.Count(text, "\n"), "lines for", code.Modules(), "modules")
	// Output:
	// 15 lines for 21 modules
}

// A Code does not reach a log.
func ExampleCode() {
	code, err := qr.New("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v %+v\n", code, []any{code})
	// Output:
	// [redacted] [[redacted]]
}
