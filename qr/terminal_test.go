package qr_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// readTerminal returns the modules of a text as a camera sees it in front of a
// terminal with that background.
func readTerminal(tb testing.TB, text string, bg qr.Background) [][]bool {
	tb.Helper()
	body, ok := strings.CutSuffix(text, "\n")
	if !ok {
		tb.Fatal("the last line does not end in a newline")
	}
	textIsDark := bg == qr.Light
	var rows [][]bool
	for _, line := range strings.Split(body, "\n") {
		var upper, lower []bool
		for _, r := range line {
			painted, ok := map[rune][2]bool{
				' ': {false, false}, '▀': {true, false}, '▄': {false, true}, '█': {true, true},
			}[r]
			if !ok {
				tb.Fatalf("character %q", r)
			}
			upper = append(upper, painted[0] == textIsDark)
			lower = append(lower, painted[1] == textIsDark)
		}
		rows = append(rows, upper, lower)
	}
	// A symbol has an odd number of rows, so the last line is half empty: it
	// shows the background, dark or light.
	last := rows[len(rows)-1]
	for x, dark := range last {
		if dark != (bg == qr.Dark) {
			tb.Fatalf("the half line under the picture is painted in column %d", x)
		}
	}
	return rows[:len(rows)-1]
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCode(t, tt.text)
			for _, bg := range []qr.Background{qr.Dark, qr.Light} {
				text := c.Terminal(bg)
				checkMatrix(t, readTerminal(t, text, bg), matrix(t, tt.text))
				for line := range strings.Lines(text) {
					if n := utf8.RuneCountInString(line); n != c.Modules()+2*qr.QuietZone+1 || !strings.HasSuffix(line, "\n") {
						t.Errorf("%v: a line of %d characters", bg, n)
					}
				}
			}
		})
	}
}

// On the other background the picture would be its own negative.
func TestTerminalPolarity(t *testing.T) {
	t.Parallel()
	c := newCode(t, uri)
	dark, light := c.Terminal(qr.Dark), c.Terminal(qr.Light)
	if !strings.HasPrefix(dark, "████") || !strings.HasPrefix(light, "    ") {
		t.Errorf("the quiet zone is %.4q on dark and %.4q on light", dark, light)
	}
	if c.Terminal(200) != dark {
		t.Error("an unknown background is not taken as dark")
	}
	var zero qr.Background
	if c.Terminal(zero) != dark {
		t.Error("the zero background is not dark")
	}
}

func TestBackground(t *testing.T) {
	t.Parallel()
	for bg, want := range map[qr.Background]string{qr.Dark: "dark", qr.Light: "light", 7: "Background(7)"} {
		if bg.String() != want {
			t.Errorf("%d is %q, want %q", uint8(bg), bg, want)
		}
	}
}
