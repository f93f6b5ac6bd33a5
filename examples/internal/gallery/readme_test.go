package gallery

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

// The pictures of README.md. They are taken by .ci/pictures alone.
func TestReadme(t *testing.T) {
	if chromium.Pictures(t) == "" || *language != "en" {
		t.Skip("run .ci/pictures")
	}
	t.Run("setup", func(t *testing.T) {
		h := open(t)
		h.Get("/as/demo")
		h.Get("/2fa/setup/begin")
		h.send("/2fa/setup/begin")
		h.Publish("setup", 680)
	})
	t.Run("terminal", terminal)
}

const terminalStyle = `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #1d1f27; color: #e6e6e6; }
header { background: #2b2e37; padding: .7rem 1rem; font-size: 0; }
header i { display: inline-block; width: 15px; height: 15px; border-radius: 50%; background: #8b8e96; margin-right: 10px; }
pre { margin: 0; padding: 1rem 1.25rem; font: 16px/19px "DejaVu Sans Mono", monospace; }
b { font-weight: 400; color: #a5d19b; }
u { text-decoration: none; background: #e6e6e6; }
</style><header><i></i><i></i><i></i></header><pre>`

// terminal shows a dialogue with examples/quickstart.
func terminal(t *testing.T) {
	command := exec.CommandContext(t.Context(), "go", "run", "../../quickstart", "-user", "demo")
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var page, said bytes.Buffer
	page.WriteString(terminalStyle + "<b>$ go run ./examples/quickstart -user demo</b>\n")
	// prompt reads up to the next one.
	prompt := func() string {
		t.Helper()
		said.Reset()
		for one := make([]byte, 1); !strings.HasSuffix(said.String(), "Code: ") && !strings.HasSuffix(said.String(), "app: "); {
			if _, err := io.ReadFull(out, one); err != nil {
				t.Fatalf("%v after %q", err, said.String())
			}
			said.Write(one)
		}
		page.WriteString(html.EscapeString(said.String()))
		return said.String()
	}
	answer := func(code string) string {
		t.Helper()
		fmt.Fprintln(in, code)
		fmt.Fprintf(&page, "<b>%s</b>\n", code)
		return prompt()
	}
	key := regexp.MustCompile(`oathtool --totp -b (\w+)`).FindStringSubmatch(prompt())
	if key == nil {
		t.Fatalf("there is no key in %q", said.String())
	}
	app, err := enrollmenttest.Scan("otpauth://totp/Acme:demo?issuer=Acme&secret=" + key[1])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	sheet := answer(app.Code(now.Add(-app.Period()))) // as if the user had waited for the next one
	answer(app.Code(now))
	answer(app.Code(now))
	answer(strings.ToLower(regexp.MustCompile(`1\.  \[ \]  (\S+)`).FindStringSubmatch(sheet)[1]))
	answer("000000")
	page.WriteString("<u> </u></pre>")
	in.Close()
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page.Bytes()) }))
	defer server.Close()
	b := chromium.Open(t, server.URL)
	b.Get("/")
	b.Publish("terminal", 875)
}
