package enrollment

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// MaxOrigin is the length of the longest origin in bytes: 128.
const MaxOrigin = account.MaxOrigin

// originKey is the key of the origin in a context.
type originKey struct{}

// WithOrigin returns a copy of ctx that says where the calls made with it come from, in
// words that the user recognises, for example "Firefox (Linux), 192.0.2.7". It is stored,
// so use names that are the same in each language of your application. Every
// method of this package takes it from its context. It is logged with the call, and
// stored with the events of the call: Event.Origin has it in Config.Notify and
// Status.History, even if [Directory.Sweep] delivers the event later. Call it in a
// middleware, so that all calls of a request have it.
//
// Any text will do. Control characters become spaces, runs of spaces become one, and a
// text longer than [MaxOrigin] is cut. The empty text means that the origin is unknown.
// Origins are compared (see [EventWrongCodes]): leave out what differs between two
// requests of one browser.
//
// An attacker can write any header of a request. Make the text from words of your own
// ("Firefox", "Linux") and from an address that you trust; behind a proxy, do not trust
// every header. Escape it on a page, and make sure that it is no link in a mail. It is
// personal data, and is erased with the account; see [Admin.Erase].
func WithOrigin(ctx context.Context, origin string) context.Context {
	return context.WithValue(ctx, originKey{}, cleanOrigin(origin))
}

// originOf returns the origin in the context, "" if there is none.
func originOf(ctx context.Context) string {
	origin, _ := ctx.Value(originKey{}).(string)
	return origin
}

// maxRawOrigin bounds how much of a text is looked at: clients send headers of a
// megabyte.
const maxRawOrigin = 8 * MaxOrigin

// cleanOrigin returns the printable part of a text, at most MaxOrigin bytes.
func cleanOrigin(raw string) string {
	var b strings.Builder
	space := false
	for _, r := range raw[:min(len(raw), maxRawOrigin)] {
		if r == utf8.RuneError || r == ' ' || !unicode.IsPrint(r) {
			space = b.Len() > 0
			continue
		}
		more := utf8.RuneLen(r)
		if space {
			more++
		}
		if b.Len()+more > MaxOrigin {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
