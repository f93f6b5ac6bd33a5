package wording

import "github.com/seed-1b6a03a1/twofactor/enrollment"

func germanEvents() map[enrollment.EventKind]Notice {
	const (
		notYou    = "Wenn Sie das nicht waren, ändern Sie Ihr Passwort und melden Sie sich bei uns."
		cancel    = "Wenn Sie das nicht waren, brechen Sie den Antrag ab und ändern Sie Ihr Passwort."
		noCode    = "Ab jetzt reicht Ihr Passwort zum Anmelden. Wenn Sie das nicht wollten, melden Sie sich sofort bei uns."
		unasked   = "Wenn Sie nicht darum gebeten haben, melden Sie sich sofort bei uns."
		guessing  = "Vielleicht kennt jemand Ihr Passwort und rät Codes. Wenn Sie das nicht waren, ändern Sie Ihr Passwort."
		lostCodes = "Bewahren Sie die neuen Codes sicher auf. Die alten gelten nicht mehr. " + notYou
	)
	return map[enrollment.EventKind]Notice{
		enrollment.EventEnabled: {
			Subject: "Zwei-Faktor-Authentifizierung eingeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde eingeschaltet.",
			Advice:  notYou,
		},
		enrollment.EventAuthenticatorAdded: {
			Subject:  "Authenticator-App hinzugefügt",
			Text:     "Die Authenticator-App {name} wurde hinzugefügt.",
			Nameless: "Eine Authenticator-App wurde hinzugefügt.",
			Advice:   notYou,
		},
		enrollment.EventAuthenticatorReplaced: {
			Subject:  "Authenticator-App ersetzt",
			Text:     "Die Authenticator-App {name} hat eine andere ersetzt.",
			Nameless: "Eine neue Authenticator-App hat eine andere ersetzt.",
			Advice:   notYou,
		},
		enrollment.EventAuthenticatorRemoved: {
			Subject:  "Authenticator-App entfernt",
			Text:     "Die Authenticator-App {name} wurde entfernt.",
			Nameless: "Eine Authenticator-App wurde entfernt.",
			Advice:   notYou,
		},
		enrollment.EventDisabled: {
			Subject: "Zwei-Faktor-Authentifizierung ausgeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde ausgeschaltet.",
			Advice:  noCode,
		},
		enrollment.EventCodesRenewed: {
			Subject: "Neue Wiederherstellungscodes",
			Text:    "Es wurden neue Wiederherstellungscodes erstellt.",
			Advice:  lostCodes,
		},
		enrollment.EventRecoveryUsed: {
			Subject: "Wiederherstellungscode benutzt",
			Text:    "Ein Wiederherstellungscode wurde benutzt.",
			Advice:  notYou,
		},
		enrollment.EventLocked: {
			Subject: "Zu viele falsche Codes",
			Text:    "Es wurden zu viele falsche Codes eingegeben ({factor}), deshalb nehmen wir eine Zeit lang keine dieser Art an.",
			Advice:  guessing,
		},
		enrollment.EventFactorDisabled: {
			Subject: "Zu viele falsche Codes",
			Text:    "Es wurden zu viele falsche Codes eingegeben ({factor}), deshalb nehmen wir keine dieser Art an, bis Sie einen Wiederherstellungscode verwenden oder uns um Hilfe bitten.",
			Advice:  guessing,
		},
		enrollment.EventCodesShown: {
			Subject: "Ihre Wiederherstellungscodes wurden angezeigt",
			Text:    "Ihre Wiederherstellungscodes wurden angezeigt.",
			Advice:  notYou + " Erstellen Sie dann neue Wiederherstellungscodes.",
		},
		enrollment.EventDeviceTrusted: {
			Subject:  "Einem Gerät wird vertraut",
			Text:     "Mit dem Gerät {name} ist die Anmeldung jetzt ohne Code möglich.",
			Nameless: "Mit einem Gerät ist die Anmeldung jetzt ohne Code möglich.",
			Advice:   notYou,
		},
		enrollment.EventDeviceRevoked: {
			Subject:  "Einem Gerät wird nicht mehr vertraut",
			Text:     "Dem Gerät {name} wird nicht mehr vertraut. Es braucht wieder einen Code.",
			Nameless: "Ihren Geräten wird nicht mehr vertraut. Sie brauchen wieder einen Code.",
			Advice:   notYou,
		},
		enrollment.EventAddressBound: {
			Subject:  "Wir können Ihnen Codes schicken",
			Text:     "Wir können Ihnen jetzt Codes per {name} schicken.",
			Nameless: "Wir können Ihnen jetzt Codes schicken.",
			Advice:   notYou,
		},
		enrollment.EventAddressRemoved: {
			Subject:  "Wir schicken Ihnen keine Codes mehr",
			Text:     "Wir schicken Ihnen keine Codes mehr per {name}.",
			Nameless: "Wir schicken Ihnen keine Codes mehr.",
			Advice:   notYou,
		},
		enrollment.EventReset: {
			Subject: "Zwei-Faktor-Authentifizierung ausgeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde ausgeschaltet, weil jemand mit Ihrem Passwort das vor einigen Tagen beantragt hat.",
			ByAdmin: "Die Zwei-Faktor-Authentifizierung wurde von der Verwaltung ausgeschaltet.",
			Advice:  noCode,
		},
		enrollment.EventUnlocked: {
			Subject: "Codes werden wieder angenommen",
			Text:    "Die Sperre nach falschen Codes wurde aufgehoben.",
			ByAdmin: "Die Sperre nach falschen Codes wurde von der Verwaltung aufgehoben.",
			Advice:  unasked,
		},
		enrollment.EventBypassGranted: {
			Subject: "Anmeldung eine Zeit lang ohne Code",
			Text:    "Sie können sich eine Zeit lang ohne Code anmelden.",
			ByAdmin: "Sie können sich eine Zeit lang ohne Code anmelden. Die Verwaltung hat das erlaubt.",
			Advice:  "Bis das endet, reicht Ihr Passwort zum Anmelden. " + unasked,
		},
		enrollment.EventResetRequested: {
			Subject: "Antrag, die Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Jemand mit Ihrem Passwort hat uns gebeten, Ihre Zwei-Faktor-Authentifizierung auszuschalten.",
			Advice:  cancel,
		},
		enrollment.EventResetReminder: {
			Subject: "Offener Antrag, die Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Der Antrag, Ihre Zwei-Faktor-Authentifizierung auszuschalten, ist noch offen.",
			Advice:  cancel,
		},
		enrollment.EventResetMatured: {
			Subject: "Der Antrag, die Zwei-Faktor-Authentifizierung auszuschalten, kann genehmigt werden",
			Text:    "Der Antrag, Ihre Zwei-Faktor-Authentifizierung auszuschalten, kann jetzt von der Verwaltung genehmigt werden.",
			Advice:  cancel,
		},
		enrollment.EventResetCancelled: {
			Subject: "Antrag abgebrochen, die Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Der Antrag, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde abgebrochen.",
			Advice:  "Wenn Sie den Antrag nicht gestellt haben, ändern Sie Ihr Passwort.",
		},
		enrollment.EventResetRefused: {
			Subject: "Antrag abgelehnt, die Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Der Antrag, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde abgelehnt.",
			ByAdmin: "Der Antrag, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde von der Verwaltung abgelehnt.",
			Advice:  "Wenn Sie den Antrag gestellt haben, bitten Sie uns um Hilfe. Wenn nicht, ändern Sie Ihr Passwort.",
		},
		enrollment.EventImported: {
			Subject: "Zwei-Faktor-Authentifizierung eingeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde aus einem anderen System übernommen.",
			ByAdmin: "Die Verwaltung hat die Zwei-Faktor-Authentifizierung aus einem anderen System übernommen.",
			Advice:  unasked,
		},
		enrollment.EventExported: {
			Subject: "Die Geheimnisse Ihrer Authenticator-Apps wurden gelesen",
			Text:    "Die Geheimnisse Ihrer Authenticator-Apps wurden exportiert.",
			ByAdmin: "Die Verwaltung hat die Geheimnisse Ihrer Authenticator-Apps exportiert.",
			Advice:  unasked,
		},
		enrollment.EventErased: {
			Subject: "Zwei-Faktor-Authentifizierung gelöscht",
			Text:    "Die Daten Ihrer Zwei-Faktor-Authentifizierung wurden gelöscht.",
			ByAdmin: "Die Verwaltung hat die Daten Ihrer Zwei-Faktor-Authentifizierung gelöscht.",
			Advice:  unasked,
		},
		enrollment.EventDevicesForgotten: {
			Subject: "Ihren Geräten wird nicht mehr vertraut",
			Text:    "Ihren Geräten wird nach einer Änderung Ihrer Zwei-Faktor-Authentifizierung nicht mehr vertraut. Sie brauchen wieder einen Code.",
			Advice:  notYou,
		},
		enrollment.EventAuthenticatorRenamed: {
			Subject:  "Authenticator-App umbenannt",
			Text:     "Die Authenticator-App mit dem Namen {name} heißt jetzt anders.",
			Nameless: "Eine Authenticator-App heißt jetzt anders.",
			Advice:   notYou,
		},
		enrollment.EventDeviceRenamed: {
			Subject:  "Gerät umbenannt",
			Text:     "Das Gerät mit dem Namen {name} heißt jetzt anders.",
			Nameless: "Ein Gerät heißt jetzt anders.",
			Advice:   notYou,
		},
		enrollment.EventNearMiss: {
			Subject:  "Vielleicht hat jemand Ihre Codes gesehen",
			Text:     "Von drei Codes, die aus {name} stammen sollten, waren zwei richtig und einer falsch.",
			Nameless: "Von drei Codes, die aus Ihrer App stammen sollten, waren zwei richtig und einer falsch.",
			Advice:   "Wenn Sie das nicht waren, hat jemand Ihre App gesehen und kennt Ihr Passwort. Ändern Sie Ihr Passwort, und lassen Sie niemanden Ihre Codes sehen.",
		},
		enrollment.EventWrongCodes: {
			Subject: "Jemand kennt vielleicht Ihr Passwort",
			Text:    "Jemand hat Ihr Passwort eingegeben, danach aber keinen richtigen Code ({codes} falsch).",
			Advice:  "Wenn Sie das nicht waren, ändern Sie Ihr Passwort. Angemeldet wurde niemand.",
		},
		enrollment.EventRightAfterWrong: {
			Subject: "Ein richtiger Code nach falschen",
			Text:    "Jemand hat Ihr Passwort und einen richtigen Code eingegeben, davor falsche ({codes} falsch).",
			Advice:  notYou,
		},
		enrollment.EventMoved: {
			Subject: "Zwei-Faktor-Authentifizierung umgezogen",
			Text:    "Ihre Zwei-Faktor-Authentifizierung gehört jetzt zu Ihrer neuen Benutzerkennung.",
			ByAdmin: "Die Verwaltung hat Ihre Zwei-Faktor-Authentifizierung auf Ihre neue Benutzerkennung übertragen.",
			Advice:  unasked,
		},
	}
}
