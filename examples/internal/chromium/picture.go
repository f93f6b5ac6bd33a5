package chromium

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Pictures returns the folder in which .ci/pictures wants pictures of the pages, or "".
func Pictures(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("TWOFACTOR_PICTURES")
	if folder != "" && !filepath.IsAbs(folder) {
		t.Fatalf("TWOFACTOR_PICTURES=%s: each test runs in a folder of its own, so the path has to be absolute", folder)
	}
	return folder
}

// Keep keeps pictures of the page if .ci/pictures wants them, in a folder with the name of
// the package.
func (b *Tab) Keep(name string) {
	b.t.Helper()
	if Pictures(b.t) == "" {
		return
	}
	here, err := os.Getwd()
	if err != nil {
		b.t.Fatal(err)
	}
	b.Picture(filepath.Join(Pictures(b.t), filepath.Base(here)), name)
}

// Picture writes pictures of the whole page into the folder: narrow and wide, light and
// dark.
func (b *Tab) Picture(folder, name string) {
	b.t.Helper()
	b.look(func(scheme string, width int64) {
		b.write(b.picture(width, 900), folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
	})
}

// Publish keeps one picture of the whole page for a README.
func (b *Tab) Publish(name string, width int64) {
	b.t.Helper()
	if Pictures(b.t) == "" {
		return
	}
	b.write(b.picture(width, 0), filepath.Join(Pictures(b.t), "images"), name+".png")
	b.run(emulation.ClearDeviceMetricsOverride())
}

// picture takes a picture of the whole page, and of what is below it up to a height.
func (b *Tab) picture(width, height int64) (picture []byte) {
	b.t.Helper()
	narrow := width < 400
	// In a window as high as the page, all of it is drawn.
	var needed int64
	b.run(page.BringToFront(), emulation.SetDeviceMetricsOverride(width, 1, 1, narrow),
		chromedp.Evaluate(`document.documentElement.scrollHeight`, &needed))
	b.run(emulation.SetDeviceMetricsOverride(width, max(height, needed), 1, narrow),
		chromedp.Evaluate(`new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))`, nil,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
		chromedp.FullScreenshot(&picture, 100))
	return picture
}

func (b *Tab) write(picture []byte, folder, name string) {
	b.t.Helper()
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
