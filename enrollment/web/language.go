package web

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

// A language is the words of the pages, and those for denials and events.
type language struct {
	words *wording.Language
	texts map[string]string
}

// languages are those of this package. The first is the default.
var languages = []*language{
	languageIn(wording.English(), english),
	languageIn(wording.German(), german),
}

// languageIn returns a language with those words. Some texts of the pages are words of
// denials and decisions.
func languageIn(words *wording.Language, texts map[string]string) *language {
	texts = maps.Clone(texts)
	texts[noteMustEnroll] = words.Decisions[enrollment.MustEnroll]
	texts["problem.busy"], texts["problem.not_sent"] = words.Busy, words.NotSent
	return &language{words, texts}
}

// Texts returns a copy of the words of the pages by their keys, in English ("en") or
// German ("de"), for an application that writes its own; see [Config].Text. It returns
// nil for another language. Words in braces are filled in.
func Texts(tag string) map[string]string {
	for _, l := range languages {
		if l.words.Tag == tag {
			return maps.Clone(l.texts)
		}
	}
	return nil
}

// Language returns the tag of the language that the pages are in for this request, "en" or
// "de": the one of the two that it prefers (RFC 9110, section 12.5.4), and "en" if it prefers
// neither. An application shows its own pages in the same language.
func Language(r *http.Request) string { return languageOf(r).words.Tag }

// languageOf returns the language that the request prefers.
func languageOf(r *http.Request) *language {
	best, weight := languages[0], 0.0
	for entry := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameter, _ := strings.Cut(entry, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), "-")
		for _, l := range languages {
			if q > weight && (strings.EqualFold(tag, l.words.Tag) || tag == "*") {
				best, weight = l, q
				break
			}
		}
	}
	return best
}

// time returns a time in words, in UTC.
func (l *language) time(t time.Time) string { return t.UTC().Format(l.words.Time) }

// fill replaces placeholders, given in pairs, in one pass.
func fill(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }
