package qr

import (
	"fmt"
	"strings"
)

// A Background says how a terminal shows text. A QR code must be dark on light. So Terminal
// prints blocks for the light modules if the background is dark, and for the dark modules
// if it is light.
type Background uint8

const (
	// Dark is a terminal with light text on a dark background, which is the
	// default of most terminals.
	Dark Background = iota

	// Light is a terminal with dark text on a light background, or paper.
	Light
)

// String returns "dark" or "light", or "Background(n)" for any other value.
func (b Background) String() string {
	switch b {
	case Dark:
		return "dark"
	case Light:
		return "light"
	}
	return fmt.Sprintf("Background(%d)", uint8(b))
}

// blocks are the characters for two modules, one above the other. A bit is set
// if that module is painted in the colour of the text.
var blocks = [...]string{0: " ", upper: "▀", lower: "▄", upper | lower: "█"}

const (
	upper = 1 << iota
	lower
)

// Terminal returns the code as lines of block characters. A line holds two rows
// of modules, one module in a column, and ends with a newline. There are no
// escape sequences: the terminal chooses the colours, and most apps can't read
// the code if bg is not its background. Any value other than [Light] means
// [Dark].
//
// With the quiet zone, a line is Modules + 8 columns wide. Print it at the start
// of a line, in a font without gaps between lines. Terminal returns "" for the
// zero Code.
func (c *Code) Terminal(bg Background) string {
	if c.Modules() == 0 {
		return ""
	}
	side := c.side()
	painted := func(x, y int) bool {
		if y >= side {
			return false // below the last row, if the number of rows is odd
		}
		return c.at(x, y) == (bg == Light)
	}
	var b strings.Builder
	b.Grow(side/2*(3*side+1) + 3*side + 1)
	for y := 0; y < side; y += 2 {
		for x := range side {
			block := 0
			if painted(x, y) {
				block |= upper
			}
			if painted(x, y+1) {
				block |= lower
			}
			b.WriteString(blocks[block])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// at reports whether the module in column x and row y is dark. Both count from
// the corner of the quiet zone.
func (c *Code) at(x, y int) bool {
	x, y = x-QuietZone, y-QuietZone
	n := c.Modules()
	return x >= 0 && y >= 0 && x < n && y < n && c.dark()[y][x]
}
