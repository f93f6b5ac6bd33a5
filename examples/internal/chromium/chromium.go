// Package chromium drives a real browser in the tests of the examples.
package chromium

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// patience is how long a test waits for a page that does not come.
const patience = 5 * time.Minute

// A Tab is a tab of a browser of its own. Its methods fail the test.
type Tab struct {
	t   testing.TB
	ctx context.Context
	at  string // where the application is

	pages int // that Next was called on
}

// Open starts a browser, which ends with the test. It skips the test if there is none.
func Open(t testing.TB, at string) *Tab {
	t.Helper()
	path, folder := program(t, "chromium"), profile(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900),
		chromedp.WSURLReadTimeout(patience), chromedp.UserDataDir(folder))
	if len(folder)+len(singleton) < longestSocket {
		options = append(options, chromedp.Env("TMPDIR="+folder))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &Tab{t: t, ctx: ctx, at: at}
	// A window that nobody looks at has no focus.
	b.run(chromedp.Navigate("about:blank"), emulation.SetFocusEmulationEnabled(true))
	return b
}

// The browser makes a folder for a socket among the temporary files, and leaves it behind if it
// is killed. So that is to be in the folder of the profile, where systems allow so long a path of
// the socket.
const (
	singleton     = "/org.chromium.Chromium.abcdef/SingletonSocket"
	longestSocket = 104 // with its end, on the system that allows least
)

// profile makes the folder of a browser. It deletes it after the test as soon as that is
// possible: processes of the browser still write there when the first of them has ended,
// so t.TempDir fails now and then.
func profile(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		late := time.After(patience)
		for err := os.RemoveAll(folder); err != nil; err = os.RemoveAll(folder) {
			select {
			case <-late:
				t.Errorf("the browser does not leave its folder: %v", err)
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return folder
}

// program returns the path of a program, or skips the test.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		testenv.Missing(t, name+" is not in PATH")
	}
	return path
}

// run does what the actions say, as long as the test has patience.
func (b *Tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	// The first run starts the browser, which would end with a context of its own.
	done := make(chan error, 1)
	go func() { done <- chromedp.Run(b.ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			b.t.Fatalf("%v; the page is:\n%s", err, b.source())
		}
	case <-time.After(patience):
		b.t.Fatalf("the browser does not do it; the page is:\n%s", b.source())
	}
}

// source returns the page for the report of a failure.
func (b *Tab) source() (text string) {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Evaluate(`location.href + "\n" + document.body.innerText`, &text))
	return text
}

// Get loads the page at that path.
func (b *Tab) Get(path string) { b.t.Helper(); b.run(chromedp.Navigate(b.at + path)) }

// Reload loads the page again, as the button of the browser does.
func (b *Tab) Reload() { b.t.Helper(); b.run(chromedp.Reload()) }

// Back goes back, and Forward forward again. The browser may have kept that page, and does
// not load it then.
func (b *Tab) Back()    { b.t.Helper(); b.Next(func() { b.Evaluate(`history.back()`) }) }
func (b *Tab) Forward() { b.t.Helper(); b.Next(func() { b.Evaluate(`history.forward()`) }) }

// Sees waits until the page has the text.
func (b *Tab) Sees(text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		var there bool
		// While one page follows another, there is none to look at.
		err := chromedp.Run(ctx, chromedp.Evaluate(`document.readyState === "complete" && document.body.innerText.includes(`+quoted(text)+`)`, &there))
		if err == nil && there {
			return
		}
		_ = chromedp.Run(ctx, chromedp.Sleep(20*time.Millisecond))
	}
	b.t.Fatalf("the browser does not see %q; the page is:\n%s", text, b.source())
}

// Next does something that leads to another page, and waits until that is there. Without
// it, what comes next may still be done on the page before.
func (b *Tab) Next(do func()) {
	b.t.Helper()
	b.pages++ // so that a page which the browser has kept is another one, too
	b.run(chromedp.Evaluate(fmt.Sprintf(`window.seenBefore = %d`, b.pages), nil))
	do()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		var there bool
		err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf(`window.seenBefore !== %d && document.readyState === "complete"`, b.pages), &there))
		if err == nil && there {
			return
		}
		_ = chromedp.Run(ctx, chromedp.Sleep(20*time.Millisecond))
	}
	b.t.Fatalf("no other page comes; the page is:\n%s", b.source())
}

// Fill puts a text into the field that the selector finds. Nobody types, so a script that
// waits for the last digit does nothing.
func (b *Tab) Fill(selector, text string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Evaluate(
		`document.querySelector(`+quoted(selector)+`).value = `+quoted(text), nil))
}

// Type types into the field that the selector finds.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(selector, text, chromedp.ByQuery))
}

// Click clicks on what the selector finds. Next waits for the page that follows.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.run(chromedp.Click(selector, chromedp.ByQuery))
}

// Press clicks many times on the place of what the selector finds, also while the browser
// waits for another page. After each click it calls the function.
func (b *Tab) Press(selector string, times int, clicked func(n int)) {
	b.t.Helper()
	var at []float64
	b.run(chromedp.Evaluate(`(() => { const e = document.querySelector(`+quoted(selector)+`); e.scrollIntoView({ block: "center" });
		const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, &at))
	for n := range times {
		b.run(input.DispatchMouseEvent(input.MousePressed, at[0], at[1]).WithButton(input.Left).WithClickCount(1),
			input.DispatchMouseEvent(input.MouseReleased, at[0], at[1]).WithButton(input.Left).WithClickCount(1))
		clicked(n + 1)
	}
}

// Evaluate runs a script on the page.
func (b *Tab) Evaluate(script string) { b.t.Helper(); b.run(chromedp.Evaluate(script, nil)) }

// Texts returns the text of all that the selector finds.
func (b *Tab) Texts(selector string) (texts []string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(`Array.from(document.querySelectorAll(`+quoted(selector)+`), (e) => e.textContent)`, &texts))
	return texts
}

// Scan takes a picture of what the selector finds, and returns the text of the QR code
// in it as the program zbarimg reads it.
func (b *Tab) Scan(selector string) string {
	b.t.Helper()
	zbarimg := program(b.t, "zbarimg")
	var picture []byte
	// A tab behind another one is not drawn.
	b.run(page.BringToFront(), chromedp.Screenshot(selector, &picture, chromedp.ByQuery))
	command := exec.CommandContext(b.ctx, zbarimg, "--raw", "-q", "-")
	command.Stdin = bytes.NewReader(picture)
	text, err := command.Output()
	if err != nil {
		b.t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSpace(string(text))
}

// Download clicks on what the selector finds, and returns the file that the browser keeps.
func (b *Tab) Download(selector string) string {
	b.t.Helper()
	folder := b.t.TempDir()
	done := make(chan string, 1)
	chromedp.ListenTarget(b.ctx, func(event any) {
		if e, ok := event.(*browser.EventDownloadProgress); ok && e.State == browser.DownloadProgressStateCompleted {
			select {
			case done <- e.GUID:
			default:
			}
		}
	})
	b.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllowAndName).WithDownloadPath(folder).WithEventsEnabled(true))
	b.Click(selector)
	select {
	case name := <-done:
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			b.t.Fatal(err)
		}
		return string(content)
	case <-time.After(patience):
		b.t.Fatalf("the browser keeps no file; the page is:\n%s", b.source())
	}
	return ""
}

// Another opens another tab of the same browser, which has the same cookies.
func (b *Tab) Another() *Tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	other := &Tab{t: b.t, ctx: ctx, at: b.at}
	other.run(chromedp.Navigate("about:blank"), emulation.SetFocusEmulationEnabled(true))
	return other
}

// Prefers makes the tab ask for pages in that language.
func (b *Tab) Prefers(language string) {
	b.t.Helper()
	b.run(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": language}))
}

// Keys presses keys, wherever the focus is: letters, and those of package kb.
func (b *Tab) Keys(keys string) { b.t.Helper(); b.run(chromedp.KeyEvent(keys)) }

// Focused returns the name that a screen reader would say of what has the focus: the text
// of a button or a link, or the label of a field.
func (b *Tab) Focused() (name string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(`(() => { const e = document.activeElement;
		return ((e.labels && e.labels.length ? e.labels[0] : e).innerText || "").replace(/\s+/g, " ").trim() })()`, &name))
	return name
}

// WithoutScripts turns JavaScript off.
func (b *Tab) WithoutScripts() {
	b.t.Helper()
	b.run(emulation.SetScriptExecutionDisabled(true))
}

func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
