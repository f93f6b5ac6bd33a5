package wording

import "github.com/seed-1b6a03a1/twofactor/enrollment"

func englishEvents() map[enrollment.EventKind]Notice {
	const (
		notYou    = "If it was not you, change your password and contact us."
		cancel    = "If it was not you, cancel the request and change your password."
		noCode    = "From now on, your password alone signs you in. If you did not want this, contact us at once."
		unasked   = "If you did not ask for this, contact us at once."
		guessing  = "Someone may know your password and be guessing codes. If it was not you, change your password."
		lostCodes = "Keep the new codes in a safe place. The old ones no longer work. " + notYou
	)
	return map[enrollment.EventKind]Notice{
		enrollment.EventEnabled: {
			Subject: "Two-factor authentication is on",
			Text:    "Two-factor authentication was turned on.",
			Advice:  notYou,
		},
		enrollment.EventAuthenticatorAdded: {
			Subject:  "An authenticator was added",
			Text:     "The authenticator {name} was added.",
			Nameless: "An authenticator was added.",
			Advice:   notYou,
		},
		enrollment.EventAuthenticatorReplaced: {
			Subject:  "An authenticator was replaced",
			Text:     "The authenticator {name} replaced another one.",
			Nameless: "A new authenticator replaced another one.",
			Advice:   notYou,
		},
		enrollment.EventAuthenticatorRemoved: {
			Subject:  "An authenticator was removed",
			Text:     "The authenticator {name} was removed.",
			Nameless: "An authenticator was removed.",
			Advice:   notYou,
		},
		enrollment.EventDisabled: {
			Subject: "Two-factor authentication is off",
			Text:    "Two-factor authentication was turned off.",
			Advice:  noCode,
		},
		enrollment.EventCodesRenewed: {
			Subject: "New recovery codes",
			Text:    "New recovery codes were made.",
			Advice:  lostCodes,
		},
		enrollment.EventRecoveryUsed: {
			Subject: "A recovery code was used",
			Text:    "A recovery code was used.",
			Advice:  notYou,
		},
		enrollment.EventLocked: {
			Subject: "Too many wrong codes",
			Text:    "Too many wrong codes were entered ({factor}), so we accept none of this kind for a while.",
			Advice:  guessing,
		},
		enrollment.EventFactorDisabled: {
			Subject: "Too many wrong codes",
			Text:    "Too many wrong codes were entered ({factor}), so we accept none of this kind until you use a recovery code or ask us for help.",
			Advice:  guessing,
		},
		enrollment.EventCodesShown: {
			Subject: "Your recovery codes were shown",
			Text:    "Your recovery codes were shown.",
			Advice:  notYou + " Then make new recovery codes.",
		},
		enrollment.EventDeviceTrusted: {
			Subject:  "A device was trusted",
			Text:     "{name} can now sign in without a code.",
			Nameless: "A device can now sign in without a code.",
			Advice:   notYou,
		},
		enrollment.EventDeviceRevoked: {
			Subject:  "A device is no longer trusted",
			Text:     "{name} is no longer trusted. It needs a code again.",
			Nameless: "Your devices are no longer trusted. They need a code again.",
			Advice:   notYou,
		},
		enrollment.EventAddressBound: {
			Subject:  "An address for codes was added",
			Text:     "Codes can now be sent to you by {name}.",
			Nameless: "Codes can now be sent to you.",
			Advice:   notYou,
		},
		enrollment.EventAddressRemoved: {
			Subject:  "An address for codes was removed",
			Text:     "Codes are no longer sent to you by {name}.",
			Nameless: "Codes are no longer sent to you.",
			Advice:   notYou,
		},
		enrollment.EventReset: {
			Subject: "Two-factor authentication is off",
			Text:    "Two-factor authentication was turned off, because someone with your password asked for it some days ago.",
			ByAdmin: "Two-factor authentication was turned off by an administrator.",
			Advice:  noCode,
		},
		enrollment.EventUnlocked: {
			Subject: "Codes are accepted again",
			Text:    "The lock after wrong codes was removed.",
			ByAdmin: "The lock after wrong codes was removed by an administrator.",
			Advice:  unasked,
		},
		enrollment.EventBypassGranted: {
			Subject: "You can sign in without a code for a while",
			Text:    "You can sign in without a code for a while.",
			ByAdmin: "You can sign in without a code for a while. An administrator has allowed it.",
			Advice:  "Until that ends, your password alone signs you in. " + unasked,
		},
		enrollment.EventResetRequested: {
			Subject: "Request to turn off your two-factor authentication",
			Text:    "Someone with your password asked us to turn off your two-factor authentication.",
			Advice:  cancel,
		},
		enrollment.EventResetReminder: {
			Subject: "Reminder: request to turn off your two-factor authentication",
			Text:    "The request to turn off your two-factor authentication is still open.",
			Advice:  cancel,
		},
		enrollment.EventResetMatured: {
			Subject: "Wait over: request to turn off your two-factor authentication",
			Text:    "The request to turn off your two-factor authentication can now be approved by an administrator.",
			Advice:  cancel,
		},
		enrollment.EventResetCancelled: {
			Subject: "Cancelled: request to turn off your two-factor authentication",
			Text:    "The request to turn off your two-factor authentication was cancelled.",
			Advice:  "If you did not make the request, change your password.",
		},
		enrollment.EventResetRefused: {
			Subject: "Refused: request to turn off your two-factor authentication",
			Text:    "The request to turn off your two-factor authentication was refused.",
			ByAdmin: "The request to turn off your two-factor authentication was refused by an administrator.",
			Advice:  "If you made the request, ask us for help. If you did not, change your password.",
		},
		enrollment.EventImported: {
			Subject: "Two-factor authentication is on",
			Text:    "Two-factor authentication was imported from another system.",
			ByAdmin: "Two-factor authentication was imported from another system by an administrator.",
			Advice:  unasked,
		},
		enrollment.EventExported: {
			Subject: "The secret keys of your authenticators were exported",
			Text:    "The secret keys of your authenticators were exported.",
			ByAdmin: "The secret keys of your authenticators were exported by an administrator.",
			Advice:  unasked,
		},
		enrollment.EventErased: {
			Subject: "Two-factor authentication was deleted",
			Text:    "Your two-factor authentication data was deleted.",
			ByAdmin: "Your two-factor authentication data was deleted by an administrator.",
			Advice:  unasked,
		},
		enrollment.EventDevicesForgotten: {
			Subject: "Your devices are no longer trusted",
			Text:    "Your devices are no longer trusted, because of a change to your two-factor authentication. They need a code again.",
			Advice:  notYou,
		},
		enrollment.EventAuthenticatorRenamed: {
			Subject:  "An authenticator was renamed",
			Text:     "The authenticator that was called {name} has another name.",
			Nameless: "An authenticator has another name.",
			Advice:   notYou,
		},
		enrollment.EventDeviceRenamed: {
			Subject:  "A device was renamed",
			Text:     "The device that was called {name} has another name.",
			Nameless: "A device has another name.",
			Advice:   notYou,
		},
		enrollment.EventNearMiss: {
			Subject:  "Someone may have seen your codes",
			Text:     "Someone entered three codes of {name}: two were right and one was wrong.",
			Nameless: "Someone entered three codes of your app: two were right and one was wrong.",
			Advice:   "If it was not you, someone has seen your app and knows your password. Change your password, and do not let others see your codes.",
		},
		enrollment.EventWrongCodes: {
			Subject: "Someone may know your password",
			Text:    "Someone entered your password, but then no right code. Wrong codes: {codes}.",
			Advice:  "If it was not you, change your password. Nobody was signed in.",
		},
		enrollment.EventRightAfterWrong: {
			Subject: "Sign-in after wrong codes",
			Text:    "Someone entered your password and, after wrong codes, a right one. Wrong codes: {codes}.",
			Advice:  notYou,
		},
		enrollment.EventResynchronized: {
			Subject:  "The clock of a hardware token was adjusted",
			Text:     "The clock of the hardware token {name} was adjusted.",
			Nameless: "The clock of a hardware token was adjusted.",
			Advice:   notYou,
		},
		enrollment.EventMoved: {
			Subject: "Two-factor authentication was moved",
			Text:    "Your two-factor authentication was moved to your new user id.",
			ByAdmin: "Your two-factor authentication was moved to your new user id by an administrator.",
			Advice:  unasked,
		},
	}
}
