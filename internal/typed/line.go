package typed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNumber is how many digits the number of a line in a list has at most.
const maxNumber = 3

// Boxes to tick, and bullets, of one character.
const (
	boxes   = "☐☑☒□■✓✔"
	bullets = "•·*"
)

// heads drop what can precede the text of a line.
var heads = [...]func(s string) (rest string, ok bool){afterNumber, afterBullet, afterBox}

// Line returns what a line of a printed list is about. It drops once each, in any
// order: a number of one to three digits with a full stop, a closing bracket or a
// colon; a box such as "[ ]", "[x]" or "☐"; and a bullet. It also drops full stops,
// commas, colons and semicolons at the end, and what is [Ignorable] around all of
// these.
func Line(s string) string {
	s = strings.TrimRightFunc(s, func(r rune) bool { return Ignorable(r) || strings.ContainsRune(".,:;。．，、", r) })
	var dropped [len(heads)]bool
	for i := 0; i < len(heads); i++ {
		s = strings.TrimLeftFunc(s, Ignorable)
		if dropped[i] {
			continue
		}
		if rest, ok := heads[i](s); ok {
			s, dropped[i], i = rest, true, -1
		}
	}
	return s
}

// afterNumber returns what follows the number of a line.
func afterNumber(s string) (rest string, ok bool) {
	digits := 0
	for i, r := range s {
		if _, ok := Digit(r); ok && digits < maxNumber {
			digits++
			continue
		}
		if digits > 0 && strings.ContainsRune(".):．）：", r) {
			return s[i+utf8.RuneLen(r):], true
		}
		break
	}
	return s, false
}

// afterBullet returns what follows a bullet.
func afterBullet(s string) (rest string, ok bool) { return afterOne(s, bullets) }

// afterOne returns what follows one of the characters.
func afterOne(s, characters string) (rest string, ok bool) {
	r, size := utf8.DecodeRuneInString(s)
	if strings.ContainsRune(characters, r) {
		return s[size:], true
	}
	return s, false
}

// afterBox returns what follows a box.
func afterBox(s string) (rest string, ok bool) {
	if rest, ok := afterOne(s, boxes); ok {
		return rest, true
	}
	if inside, rest, ok := strings.Cut(s, "]"); ok && strings.HasPrefix(inside, "[") {
		inside = strings.TrimFunc(inside[1:], Ignorable)
		if utf8.RuneCountInString(inside) <= 1 {
			return rest, true
		}
	}
	return s, false
}

// nearCode is how many symbols a text has at most that is no recovery code with a
// few symbols missing: such a code has 16 or 26.
const nearCode = 12

// Message returns the six to eight ASCII digits of the code in a message that was
// pasted whole, such as "Your code is 123456", "G-123456", "123 456 is your code."
// or "Code: 123456.". It reports false unless all of this holds:
//
//   - The text is valid UTF-8 on one line, and has nothing but letters, marks,
//     punctuation, digits, and what is [Ignorable].
//   - Its digits are six to eight in a row, or two groups of three with one space or
//     hyphen between them. There is no other digit.
//   - Next to the digits there is no letter, and no slash, at sign or the like, as
//     in a link.
//   - It can't be a recovery code with up to three symbols missing: it is [Worded], or
//     not all of it are symbols of [Alphabet], or they are few.
//
// A text that is a recovery code and not Worded is not for Message: ask that first.
func Message(s string) (digits string, ok bool) {
	s = strings.TrimSpace(s)
	if !Printable(s) {
		return "", false
	}
	var code []byte
	symbols, onlySymbols := 0, true
	var before, last rune = ' ', ' '
	gaps := 0 // between digits
	for _, r := range s {
		d, isDigit := Digit(r)
		_, lastDigit := Digit(last)
		_, beforeDigit := Digit(before)
		switch {
		case isDigit && (len(code) == 0 && besides(last) || lastDigit):
			code = append(code, d)
		case isDigit && len(code) == 3 && beforeDigit && Ignorable(last):
			code = append(code, d)
			gaps++
		case isDigit, lastDigit && !besides(r):
			return "", false
		case !Ignorable(r) && !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsPunct(r):
			return "", false
		}
		if _, symbol := Symbol(r); symbol {
			symbols++
		} else if !Ignorable(r) {
			onlySymbols = false
		}
		before, last = last, r
	}
	if onlySymbols && symbols > nearCode && !Worded(s) {
		return "", false
	}
	if n := len(code); n < 6 || n > 8 || gaps > 0 && n != 6 {
		return "", false
	}
	return string(code), true
}

// Worded reports whether s has two or more words of letters alone, as "The code is
// 123456" has. "Der Code ist 123456" has the 16 symbols of a recovery code. But nobody
// writes a recovery code in words beside a group of six digits: its groups are of four.
func Worded(s string) bool {
	words := 0
	for _, word := range strings.Fields(s) {
		if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
			words++
		}
	}
	return words >= 2
}

// besides reports whether r may stand next to the digits of a code.
func besides(r rune) bool {
	return Ignorable(r) || unicode.IsPunct(r) && !strings.ContainsRune(`/\@_%&`, r)
}
