package chromium

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe is axe-core, which looks for barriers on a page; see axe/README.md.
//
//go:embed axe/axe.min.js.gz
var packedAxe []byte

var axe = sync.OnceValues(func() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packedAxe))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
})

// looks are the schemes and widths in which a page has to be good.
var looks = []struct {
	scheme string
	width  int64
}{{"light", 390}, {"light", 1280}, {"dark", 390}, {"dark", 1280}}

// look does something in each scheme and width.
func (b *Tab) look(do func(scheme string, width int64)) {
	b.t.Helper()
	for _, l := range looks {
		b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
			emulation.SetDeviceMetricsOverride(l.width, 900, 1, l.width < 400))
		do(l.scheme, l.width)
	}
	b.run(emulation.SetEmulatedMedia(), emulation.ClearDeviceMetricsOverride())
}

// Prints reports whether something that the selector finds is on paper if the page is printed.
func (b *Tab) Prints(selector string) (prints bool) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithMedia("print"),
		chromedp.Evaluate(`Array.from(document.querySelectorAll(`+quoted(selector)+`)).some((e) => e.checkVisibility())`, &prints),
		emulation.SetEmulatedMedia())
	return prints
}

// Printed returns the text that is on paper if the page is printed, and what else is there:
// pictures, fields and buttons.
func (b *Tab) Printed() (text string, other []string) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithMedia("print"), chromedp.Evaluate(`document.body.innerText`, &text),
		chromedp.Evaluate(`Array.from(document.querySelectorAll("img, svg, canvas, input, select, button, iframe, video"))
			.filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 100))`, &other), emulation.SetEmulatedMedia())
	return text, other
}

// A Barrier is what axe-core says against a page.
type Barrier struct{ Rule, Where, Why string }

// outside finds what stands beyond the edge of the window, or of the main part of the page.
const outside = `(width) => Array.from(document.querySelectorAll("body *")).filter((e) => {
	const box = e.getBoundingClientRect(), main = e.closest("main")?.getBoundingClientRect();
	return box.width > 1 && box.right > Math.min(width, main?.right ?? width) + 1;
}).slice(0, 3).map((e) => ({ Rule: "inside the page", Where: e.outerHTML.slice(0, 200), Why: "it is wider" }))`

// broken finds codes in lists that do not stand in one line.
const broken = `Array.from(document.querySelectorAll("li > code")).filter((e) =>
	e.getBoundingClientRect().height > 2.4 * parseFloat(getComputedStyle(e).fontSize),
).slice(0, 3).map((e) => ({ Rule: "one line", Where: e.outerHTML.slice(0, 200), Why: "it is in two" }))`

// Barriers returns what axe-core says against the page, narrow and wide, light and dark,
// and what does not fit in.
func (b *Tab) Barriers() (found []Barrier) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.Evaluate(source, nil))
	b.look(func(scheme string, width int64) {
		var here []Barrier
		rules := "{}"
		if scheme == "dark" { // which changes colours alone
			rules = `{ runOnly: ["cat.color"] }`
		}
		b.run(chromedp.Evaluate(`axe.run(`+rules+`).then((all) => all.violations.flatMap((v) =>
			v.nodes.map((n) => ({ Rule: v.id, Where: n.html, Why: n.failureSummary }))))`, &here,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		var wider, cut []Barrier
		b.run(chromedp.Evaluate(fmt.Sprintf("(%s)(%d)", outside, width), &wider), chromedp.Evaluate(broken, &cut))
		for _, barrier := range slices.Concat(here, wider, cut) {
			barrier.Rule = fmt.Sprintf("%s (%s, %d px)", barrier.Rule, scheme, width)
			found = append(found, barrier)
		}
	})
	return found
}
