package qr

import (
	"fmt"
	"strings"
)

// Background says how a terminal shows text. A QR code has to be dark on light,
// so which half of it is drawn depends on that.
type Background uint8

const (
	// Dark is a terminal that shows light text on a dark background. It is the
	// default of most.
	Dark Background = iota

	// Light is a terminal that shows dark text on a light background, and also
	// what is printed on paper.
	Light
)

// String returns "dark" or "light"; for any other value, "Background(n)".
func (b Background) String() string {
	switch b {
	case Dark:
		return "dark"
	case Light:
		return "light"
	}
	return fmt.Sprintf("Background(%d)", uint8(b))
}

// blocks are the characters for two modules, one above the other: each bit
// stands for one that is painted in the colour of text.
var blocks = [...]string{0: " ", upper: "▀", lower: "▄", upper | lower: "█"}

const (
	upper = 1 << iota
	lower
)

// Terminal returns the code as lines of block characters, two rows of modules
// to a line and one module to a column, each line ended by a newline. It has no
// escape sequences; the colours are those of the terminal, and on one with the
// other background most apps fail to read it. Any value but [Light] is taken as
// [Dark].
//
// The quiet zone is part of it, so a line is Modules + 8 columns wide; print it
// at the start of a line, in a font whose lines touch each other. For the zero
// Code it returns "".
func (c *Code) Terminal(bg Background) string {
	if c.Modules() == 0 {
		return ""
	}
	side := c.side()
	painted := func(x, y int) bool {
		if y >= side {
			return false // under the last row, if their number is odd
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

// at reports whether the module in column x and row y is dark, counted from
// the corner of the quiet zone.
func (c *Code) at(x, y int) bool {
	x, y = x-QuietZone, y-QuietZone
	n := c.Modules()
	return x >= 0 && y >= 0 && x < n && y < n && c.dark()[y][x]
}
