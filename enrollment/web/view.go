package web

import (
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A view is a Page with what only its template asks for.
type view struct{ Page }

// T returns the words for a key, with placeholders filled in from pairs.
func (v view) T(key string, pairs ...string) string {
	if v.text == nil {
		return ""
	}
	return fill(v.text(key), pairs...)
}

// NoticeKind returns the class of the Notice.
func (v view) NoticeKind() string {
	if v.urges {
		return "warn"
	}
	return "good"
}

// Time returns a time in words.
func (v view) Time(t time.Time) string { return v.lang.time(t) }

// Machine returns a time for the attribute datetime.
func (v view) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Event returns what happened in one line.
func (v view) Event(e enrollment.Event) string { return v.lang.words.Event(e) }

// Factor returns the name of a factor.
func (v view) Factor(f enrollment.Factor) string { return v.lang.words.Factor(f) }

// Channel returns the name of a channel.
func (v view) Channel(channel string) string {
	if name, ok := v.lang.words.Channels[channel]; ok {
		return name
	}
	return channel
}

// Takes reports whether the page takes a code of the factor.
func (v view) Takes(f string) bool { return slices.Contains(v.Factors, enrollment.Factor(f)) }

// SendFirst reports whether a message is the first thing to ask for: the account has no
// app, and none was sent yet.
func (v view) SendFirst() bool { return v.Takes("delivered") && !v.Takes("totp") && v.Sent == nil }

// May reports whether the change is possible now.
func (v view) May(kind string) bool {
	if v.Status == nil {
		return false
	}
	_, ok := v.Status.Change(enrollment.ChangeKind(kind))
	return ok
}

// WasOn reports whether two-factor authentication was on before.
func (v view) WasOn() bool { return v.Status != nil && v.Status.State == store.Disabled }

// Wait returns how many seconds of a wait are left, or "".
func (v view) Wait() string {
	if v.Denied == nil || v.Denied.Wait <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((v.Denied.Wait+time.Second-1)/time.Second), 10)
}

// Locked reports whether codes of the factor were just said to be locked, or are since
// the wrong one that was just entered.
func (v view) Locked(f string) bool {
	if v.Denied == nil || v.Denied.Factor != enrollment.Factor(f) {
		return false
	}
	switch v.Denied.Reason {
	case enrollment.ReasonLocked, enrollment.ReasonFactorDisabled:
		return true
	case enrollment.ReasonWrongCode:
		return v.Denied.Wait > 0
	}
	return false
}

// QR returns the picture that an app scans.
func (v view) QR() (template.URL, error) {
	code, err := v.Setup.QR()
	if err != nil {
		return "", err
	}
	// Base64 holds nothing of the text as it is.
	uri, err := code.DataURI(0)
	return template.URL(uri), err
}

// AppLink returns the link that opens an app on the same device.
func (v view) AppLink() template.URL { return template.URL(v.Setup.URI()) }

// Key returns the secret in groups, to be typed, and PlainKey without spaces.
func (v view) Key() string      { return v.Setup.Secret().Grouped() }
func (v view) PlainKey() string { return v.Setup.Secret().Base32() }

// Unusual returns the parameters that a user has to choose in the app, or nil.
func (v view) Unusual() *totp.Params {
	p := v.Setup.Params().WithDefaults()
	if p == (totp.Params{}).WithDefaults() {
		return nil
	}
	return &p
}

// Period returns how long a code of the parameters lasts.
func (v view) Period(p *totp.Params) string { return v.lang.words.Duration(p.Period) }

// Sheet returns the recovery codes with what to do with them.
func (v view) Sheet() template.HTML {
	// SheetHTML escapes what comes from users.
	return template.HTML(v.Codes.SheetHTML(recovery.Sheet{
		Issuer: v.issuer, Account: v.Account, Created: v.now, Words: v.lang.words.Sheet,
	}))
}

// DigitsHint returns the words for a key, which has the number of digits, or those of a
// second key without it if it differs.
func (v view) DigitsHint(key string) string {
	if v.Digits == 0 {
		return v.T(key + "_mixed")
	}
	return v.T(key, "{digits}", v.Number(v.Digits))
}

// Three numbers the fields of three consecutive codes.
func (v view) Three() []int { return []int{1, 2, 3} }

// Number returns a number as text.
func (v view) Number(n int) string { return strconv.Itoa(n) }
