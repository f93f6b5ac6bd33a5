package recovery

import "time"

// SheetWords are the words of a sheet in one language. The zero SheetWords stands
// for [EnglishSheet]; package enrollment/wording has other languages. In a value that
// is not zero, empty texts are left out.
//
// Texts are plain text without line breaks: [Codes.Sheet] wraps them, and
// [Codes.SheetHTML] escapes them. They are the application's own: do not build them
// from what users typed.
type SheetWords struct {
	// Lang is the language for HTML (BCP 47), for example "en".
	Lang string

	// RightToLeft says that the language is written from right to left.
	RightToLeft bool

	// Account says whose codes they are: {account}. Created says when they were
	// made: {date}.
	Account, Created string

	// Date is the layout of the date, for [time.Time.Format]. Defaults to
	// [time.DateOnly].
	Date string

	// Many has the texts for several codes, One those for a single code.
	Many, One SheetText
}

// A SheetText is what a sheet says about its codes. It should fit users without an
// authenticator app as well.
type SheetText struct {
	// Title is the heading without an issuer, and TitleFor that with one: {issuer}.
	Title, TitleFor string

	// Use says what the codes are for.
	Use string

	// Advice says how to keep them, one thing in each text.
	Advice []string
}

// EnglishSheet returns the words in English.
func EnglishSheet() SheetWords {
	const (
		safe  = "Keep this sheet in a safe place, and not with the device that your other codes come from."
		staff = "Support staff will never ask you for "
	)
	return SheetWords{
		Lang:    "en",
		Account: "Account: {account}",
		Created: "Created: {date}",
		Date:    time.DateOnly,
		Many: SheetText{
			Title:    "Recovery codes",
			TitleFor: "Recovery codes for {issuer}",
			Use:      "Use one of these codes to sign in when you cannot get your usual codes, for example because you lost your phone. Each code works once.",
			Advice: []string{
				safe,
				"Tick off each code that you have used.",
				"Make new codes before you run out. The old codes then stop working.",
				staff + "one of these codes.",
			},
		},
		One: SheetText{
			Title:    "Recovery code",
			TitleFor: "Recovery code for {issuer}",
			Use:      "Use this code to sign in when you cannot get your usual codes, for example because you lost your phone. It works once.",
			Advice: []string{
				safe,
				"Tick it off when you have used it.",
				staff + "it.",
			},
		},
	}
}

// isZero reports whether nothing is set.
func (w SheetWords) isZero() bool {
	return w.Lang == "" && w.Account == "" && w.Created == "" && w.Many.isZero() && w.One.isZero()
}

func (t SheetText) isZero() bool {
	return t.Title == "" && t.TitleFor == "" && t.Use == "" && len(t.Advice) == 0
}
