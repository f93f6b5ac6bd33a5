package wording

import (
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// English returns the words in English. Each call returns a new copy, which may be
// changed.
func English() *Language {
	return &Language{
		Tag:     "en",
		Denials: englishDenials(),
		Wait:    "Wait {wait} before you try again.",
		Fast:    "{wait} fast",
		Slow:    "{wait} slow",
		Denied:  "That was not possible.",
		Busy:    "We are busy at the moment. Please try again in a few seconds.",
		NotSent: "We could not send you a message. Please try again in a minute, or use another code.",
		Fault:   "Something went wrong on our side. Please try again in a moment. If it happens again, contact us.",
		Events:  englishEvents(),
		OtherEvent: Notice{
			Subject: "Security of your account",
			Text:    "Something about your two-factor authentication has changed.",
			Advice:  "If it was not you, change your password and contact us.",
		},
		Note:  "The reason given was {note}.",
		At:    "This happened on {time}.",
		From:  "The request came from {origin}.",
		Times: "This happened {count} times, the last time on {time}.",
		Channels: map[string]string{
			"sms": "text message", "email": "e-mail", "voice": "phone call", "whatsapp": "WhatsApp",
		},
		Decisions: map[enrollment.Next]string{
			enrollment.Refuse:     "We can’t sign you in at the moment. Please try again later, or contact us.",
			enrollment.Proceed:    "You are signed in.",
			enrollment.AskCode:    "Enter the code your app shows, or one of your other codes.",
			enrollment.MustEnroll: "Your account requires two-factor authentication. Set it up now to sign in.",
		},
		EnrollBy: "Your account will require two-factor authentication. Set it up before {time}. After that, you can’t sign in without it.",
		Factors: map[enrollment.Factor]string{
			enrollment.FactorTOTP:          "authenticator app",
			enrollment.FactorRecovery:      "recovery code",
			enrollment.FactorDelivered:     "code in a message",
			enrollment.FactorTrustedDevice: "trusted device",
			enrollment.FactorBypass:        "bypass by an administrator",
		},
		Sheet:   recovery.EnglishSheet(),
		Quotes:  [2]string{"“", "”"},
		Time:    "2 January 2006, 15:04 MST",
		Seconds: Unit{[]string{"{n} second", "{n} seconds"}, []string{"in {n} second", "in {n} seconds"}},
		Minutes: Unit{[]string{"{n} minute", "{n} minutes"}, []string{"in {n} minute", "in {n} minutes"}},
		Hours:   Unit{[]string{"{n} hour", "{n} hours"}, []string{"in {n} hour", "in {n} hours"}},
		Days:    Unit{[]string{"{n} day", "{n} days"}, []string{"in {n} day", "in {n} days"}},
	}
}

func englishDenials() map[enrollment.Reason]map[enrollment.Factor]Phrase {
	const (
		again   = "You can try again {in}."
		tooMany = "Too many wrong codes were entered. Wait {wait} before you try again."
	)
	return map[enrollment.Reason]map[enrollment.Factor]Phrase{
		enrollment.ReasonWrongCode: {
			"":                         {"That code is wrong. Enter the code your app shows now.", tooMany},
			enrollment.FactorRecovery:  {"That is not one of your recovery codes. Check your list: you may have an older one.", tooMany},
			enrollment.FactorDelivered: {"That is not the code in our last message. Enter the code in the latest one.", tooMany},
		},
		enrollment.ReasonReplayed: {
			"":                         {"That code was already used. Enter the next code your app shows.", "It appears {in} at the latest."},
			enrollment.FactorRecovery:  {"You have already used that recovery code. Use another one.", tooMany},
			enrollment.FactorDelivered: {"You have already used that code. Ask for a new one.", ""},
		},
		enrollment.ReasonMalformedCode: {"": {"That is not a code. Codes from an app or a message have 6 to 8 digits. Recovery codes are longer: enter one as it is on your list.", ""}},
		enrollment.ReasonClockSkew:     {"": {"Your phone’s clock is about {skew}, so its codes do not work. Set the clock automatically in your phone’s settings, then enter the code your app shows.", ""}},
		enrollment.ReasonParamsIgnored: {"": {"Your app does not support our kind of codes. Delete the entry in the app and use another app.", ""}},
		enrollment.ReasonLocked: {
			"":                         {"Too many wrong codes were entered.", "Wait {wait} before you try again. Until then, we do not accept even a correct code. If you have recovery codes, you can use one now."},
			enrollment.FactorRecovery:  {"Too many wrong recovery codes were entered.", "Wait {wait} before you try again. Until then, we do not accept even a correct one."},
			enrollment.FactorDelivered: {"Too many wrong codes from messages were entered.", "Wait {wait} before you try again. Until then, we do not accept even a correct code. If you have recovery codes, you can use one now."},
		},
		enrollment.ReasonFactorDisabled: {
			"":                         {"Too many wrong codes were entered, so app codes are turned off. Use a recovery code, or ask us for help.", ""},
			enrollment.FactorRecovery:  {"Too many wrong codes were entered, so recovery codes are turned off. Ask us for help.", ""},
			enrollment.FactorDelivered: {"Too many wrong codes were entered, so codes in messages are turned off. Use a recovery code, or ask us for help.", ""},
		},
		enrollment.ReasonChallengeInvalid:      {"": {"That did not work. Please sign in again.", ""}},
		enrollment.ReasonChallengeExpired:      {"": {"That took too long. Please sign in again.", ""}},
		enrollment.ReasonChallengeSpent:        {"": {"A code was accepted here before, at an earlier click or in another tab, and the answer did not come back to this page. Please sign in again.", ""}},
		enrollment.ReasonChallengeVoid:         {"": {"This code can’t be entered any more: your security settings or the code have changed. Please sign in again.", ""}},
		enrollment.ReasonSetupInvalid:          {"": {"That setup is not valid. Start a new one.", ""}},
		enrollment.ReasonSetupExpired:          {"": {"That took too long, and the QR code has expired. Delete its entry in your app and start a new setup.", ""}},
		enrollment.ReasonSetupSuperseded:       {"": {"You have started another setup, perhaps in another tab. Delete the entry of this one in your app and continue there.", ""}},
		enrollment.ReasonNoSetup:               {"": {"There is no setup in progress. It is finished, cancelled or expired, or your security settings have changed.", ""}},
		enrollment.ReasonAlreadyConfirmed:      {"": {"This is already set up.", ""}},
		enrollment.ReasonAlreadyRenewed:        {"": {"You have already made these recovery codes. They can’t be shown again.", ""}},
		enrollment.ReasonRenewalInvalid:        {"": {"This page is too old, or your security settings have changed. Please open it again.", ""}},
		enrollment.ReasonNotEnrolled:           {"": {"Two-factor authentication is not on. Set it up first.", ""}},
		enrollment.ReasonTooManyAuthenticators: {"": {"You have the maximum number of authenticators. Remove or replace one.", ""}},
		enrollment.ReasonTooManyCodeSets:       {"": {"You have made too many sets of recovery codes today.", "You can make the next one {in}."}},
		enrollment.ReasonUnknownAuthenticator:  {"": {"That authenticator no longer exists.", ""}},
		enrollment.ReasonLastAuthenticator:     {"": {"That is your only authenticator. Replace it, or turn off two-factor authentication.", ""}},
		enrollment.ReasonDuplicateSecret:       {"": {"That authenticator is already set up.", ""}},
		enrollment.ReasonInvalidName:           {"": {"Use a shorter name without line breaks.", ""}},
		enrollment.ReasonAlreadyEnrolled:       {"": {"Two-factor authentication is already on.", ""}},
		enrollment.ReasonWasEnrolled:           {"": {"Two-factor authentication was on before, or a ticket was issued.", ""}},
		enrollment.ReasonShortSecret:           {"": {"The key of an authenticator is too short.", ""}},
		enrollment.ReasonMustReplace:           {"": {"The code is right, but the key of your authenticator app is too short. Set up the app again to sign in.", ""}},
		enrollment.ReasonCodesNotKept:          {"": {"We can’t show your recovery codes again. Make new ones.", ""}},
		enrollment.ReasonUnknownDevice:         {"": {"That device is no longer trusted.", ""}},
		enrollment.ReasonNoAddress:             {"": {"There is no address to send a code to. Use another code.", ""}},
		enrollment.ReasonSameChannel:           {"": {"You have just used that address to sign in, so we can’t send the code there as well. Use another code.", ""}},
		enrollment.ReasonTooSoon:               {"": {"We have just sent a message, and it may be on its way.", "You can ask for another one {in}."}},
		enrollment.ReasonTooManyMessages:       {"": {"We can’t send you any more messages today. Use another code.", "You can ask for another message {in}."}},
		enrollment.ReasonNoAuthenticator:       {"": {"Set up an authenticator app first.", ""}},
		enrollment.ReasonTrustNotAllowed:       {"": {"We don’t remember devices. We will ask for a code at each sign-in.", ""}},
		enrollment.ReasonTicketRequired:        {"": {"Enter the ticket from your administrator.", ""}},
		enrollment.ReasonTicketInvalid:         {"": {"That is not the ticket from your administrator. Check it, or ask for a new one.", ""}},
		enrollment.ReasonNoReset:               {"": {"There is no open request for a reset.", ""}},
		enrollment.ReasonResetWaiting:          {"": {"You can’t approve the request yet. The owner must have time to cancel it.", "Wait {wait}."}},
		enrollment.ReasonOwnerNotTold:          {"": {"You can’t approve the request yet. The owner has not been told about it. Ask the operator of this service to check.", ""}},
		enrollment.ReasonTooManyResets:         {"": {"You asked for a reset less than a day ago.", "You can ask again {in}."}},
		enrollment.ReasonInvalidBypass:         {"": {"A bypass can’t end at that time. Choose a time in the near future.", again}},
		enrollment.ReasonOwnAccount:            {"": {"You can’t do that for your own account. Ask another administrator.", ""}},
		enrollment.ReasonUserIDTaken:           {"": {"The new user id already has two-factor authentication data. Erase it first if it is not needed.", ""}},
		enrollment.ReasonProofRequired:         {"": {"Please confirm that it’s you.", ""}},
		enrollment.ReasonProofInvalid:          {"": {"Please confirm this with a code.", ""}},
		enrollment.ReasonProofStale:            {"": {"Your last confirmation was too long ago. Please confirm this with a new code.", ""}},
		enrollment.ReasonProofNotAllowed:       {"": {"You can’t use that here. Please confirm in another way.", ""}},
		enrollment.ReasonEnrollTokenInvalid:    {"": {"That took too long, or was done somewhere else meanwhile. Please sign in again.", ""}},
	}
}
