package wording_test

import (
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

// A page shows Text, answers with Status, and sends Wait as Retry-After.
func ExampleLanguage_Describe() {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	err := &enrollment.Denied{ // what a Guard returned
		Reason:  enrollment.ReasonLocked,
		Factor:  enrollment.FactorRecovery,
		RetryAt: now.Add(30 * time.Second),
	}
	for _, words := range []*wording.Language{wording.English(), wording.German()} {
		answer := words.Describe(err, now)
		fmt.Println(answer.Status, answer.RetryAfter())
		fmt.Println(answer.Text)
	}
	// Output:
	// 429 30
	// Too many wrong recovery codes were entered. Wait 30 seconds before you try again. Until then, we do not accept even a correct one.
	// 429 30
	// Es wurden zu viele falsche Wiederherstellungscodes eingegeben. Warten Sie 30 Sekunden, bevor Sie es noch einmal versuchen. Bis dahin nehmen wir auch keinen richtigen an.
}

// Config.Notify turns an event into a mail.
func ExampleLanguage_Mail() {
	zone := time.FixedZone("CET", 60*60) // of the reader, for example from their profile
	mail := wording.English().Mail(enrollment.Event{
		Kind:  enrollment.EventReset,
		At:    time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
		Actor: "admin-7",
		Note:  "lost the phone, called in",
		Count: 1,
	}, zone)
	fmt.Println(mail.Subject)
	fmt.Println()
	fmt.Print(mail.Text)
	// Output:
	// Two-factor authentication is off
	//
	// Two-factor authentication was turned off by an administrator. The reason given was “lost the phone, called in”.
	//
	// This happened on 2 March 2026, 13:00 CET.
	//
	// From now on, your password alone signs you in. If you did not want this, contact us at once.
}

// An application changes what it wants to say in another way, and a test of its own
// calls Check.
func ExampleLanguage_Check() {
	words := wording.English()
	words.Denials[enrollment.ReasonTicketRequired][""] = wording.Phrase{
		Text: "Enter the ticket that the help desk gave you.",
	}
	fmt.Println(words.Check())

	delete(words.Denials, enrollment.ReasonTicketInvalid)
	fmt.Println(words.Check())
	// Output:
	// <nil>
	// wording: the reason "ticket_invalid" has no words
}
