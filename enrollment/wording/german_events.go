package wording

import "github.com/seed-1b6a03a1/twofactor/enrollment"

func germanEvents() map[enrollment.EventKind]Notice {
	const (
		notYou    = "Wenn Sie das nicht waren, ändern Sie Ihr Passwort und kontaktieren Sie uns."
		cancel    = "Wenn Sie das nicht waren, brechen Sie die Anfrage ab und ändern Sie Ihr Passwort."
		noCode    = "Ab jetzt genügt Ihr Passwort zur Anmeldung. Wenn Sie das nicht wollten, kontaktieren Sie uns sofort."
		unasked   = "Wenn Sie nicht darum gebeten haben, kontaktieren Sie uns sofort."
		guessing  = "Vielleicht kennt jemand Ihr Passwort und rät Codes. Wenn Sie das nicht waren, ändern Sie Ihr Passwort."
		lostCodes = "Bewahren Sie die neuen Codes sicher auf. Die alten sind ungültig. " + notYou
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
			Subject:  "Neues vertrauenswürdiges Gerät",
			Text:     "Mit dem Gerät {name} ist die Anmeldung jetzt ohne Code möglich.",
			Nameless: "Mit einem Gerät ist die Anmeldung jetzt ohne Code möglich.",
			Advice:   notYou,
		},
		enrollment.EventDeviceRevoked: {
			Subject:  "Gerät nicht mehr vertrauenswürdig",
			Text:     "Das Gerät {name} ist nicht mehr vertrauenswürdig. Wir fragen dort wieder nach einem Code.",
			Nameless: "Ihre Geräte sind nicht mehr vertrauenswürdig. Wir fragen dort wieder nach einem Code.",
			Advice:   notYou,
		},
		enrollment.EventAddressBound: {
			Subject:  "Adresse für Codes hinzugefügt",
			Text:     "Wir können Ihnen jetzt Codes per {name} schicken.",
			Nameless: "Wir können Ihnen jetzt Codes schicken.",
			Advice:   notYou,
		},
		enrollment.EventAddressRemoved: {
			Subject:  "Adresse für Codes entfernt",
			Text:     "Wir schicken Ihnen keine Codes mehr per {name}.",
			Nameless: "Wir schicken Ihnen keine Codes mehr.",
			Advice:   notYou,
		},
		enrollment.EventReset: {
			Subject: "Zwei-Faktor-Authentifizierung ausgeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde ausgeschaltet, weil jemand mit Ihrem Passwort uns vor einigen Tagen darum gebeten hat.",
			ByAdmin: "Die Zwei-Faktor-Authentifizierung wurde von einem Administrator ausgeschaltet.",
			Advice:  noCode,
		},
		enrollment.EventUnlocked: {
			Subject: "Codes werden wieder angenommen",
			Text:    "Die Sperre nach falschen Codes wurde aufgehoben.",
			ByAdmin: "Die Sperre nach falschen Codes wurde von einem Administrator aufgehoben.",
			Advice:  unasked,
		},
		enrollment.EventBypassGranted: {
			Subject: "Anmeldung vorübergehend ohne Code",
			Text:    "Sie können sich vorübergehend ohne Code anmelden.",
			ByAdmin: "Sie können sich vorübergehend ohne Code anmelden. Ein Administrator hat das erlaubt.",
			Advice:  "Bis das endet, genügt Ihr Passwort zur Anmeldung. " + unasked,
		},
		enrollment.EventResetRequested: {
			Subject: "Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Jemand mit Ihrem Passwort hat uns gebeten, Ihre Zwei-Faktor-Authentifizierung auszuschalten.",
			Advice:  cancel,
		},
		enrollment.EventResetReminder: {
			Subject: "Erinnerung: Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Die Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten, ist noch offen.",
			Advice:  cancel,
		},
		enrollment.EventResetMatured: {
			Subject: "Wartezeit vorbei: Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Die Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten, kann jetzt von einem Administrator genehmigt werden.",
			Advice:  cancel,
		},
		enrollment.EventResetCancelled: {
			Subject: "Abgebrochen: Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Die Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde abgebrochen.",
			Advice:  "Wenn die Anfrage nicht von Ihnen war, ändern Sie Ihr Passwort.",
		},
		enrollment.EventResetRefused: {
			Subject: "Abgelehnt: Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten",
			Text:    "Die Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde abgelehnt.",
			ByAdmin: "Die Anfrage, Ihre Zwei-Faktor-Authentifizierung auszuschalten, wurde von einem Administrator abgelehnt.",
			Advice:  "Wenn die Anfrage von Ihnen war, bitten Sie uns um Hilfe. Wenn nicht, ändern Sie Ihr Passwort.",
		},
		enrollment.EventImported: {
			Subject: "Zwei-Faktor-Authentifizierung eingeschaltet",
			Text:    "Die Zwei-Faktor-Authentifizierung wurde aus einem anderen System übernommen.",
			ByAdmin: "Ein Administrator hat die Zwei-Faktor-Authentifizierung aus einem anderen System übernommen.",
			Advice:  unasked,
		},
		enrollment.EventExported: {
			Subject: "Die Schlüssel Ihrer Authenticator-Apps wurden exportiert",
			Text:    "Die geheimen Schlüssel Ihrer Authenticator-Apps wurden exportiert.",
			ByAdmin: "Ein Administrator hat die geheimen Schlüssel Ihrer Authenticator-Apps exportiert.",
			Advice:  unasked,
		},
		enrollment.EventErased: {
			Subject: "Zwei-Faktor-Authentifizierung gelöscht",
			Text:    "Die Daten Ihrer Zwei-Faktor-Authentifizierung wurden gelöscht.",
			ByAdmin: "Ein Administrator hat die Daten Ihrer Zwei-Faktor-Authentifizierung gelöscht.",
			Advice:  unasked,
		},
		enrollment.EventDevicesForgotten: {
			Subject: "Ihre Geräte sind nicht mehr vertrauenswürdig",
			Text:    "Nach einer Änderung Ihrer Zwei-Faktor-Authentifizierung sind Ihre Geräte nicht mehr vertrauenswürdig. Wir fragen dort wieder nach einem Code.",
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
			Text:     "Jemand hat drei Codes aus {name} eingegeben: Zwei waren richtig, einer war falsch.",
			Nameless: "Jemand hat drei Codes aus Ihrer App eingegeben: Zwei waren richtig, einer war falsch.",
			Advice:   "Wenn Sie das nicht waren, hat jemand Ihre App gesehen und kennt Ihr Passwort. Ändern Sie Ihr Passwort und lassen Sie niemanden Ihre Codes sehen.",
		},
		enrollment.EventWrongCodes: {
			Subject: "Jemand kennt vielleicht Ihr Passwort",
			Text:    "Jemand hat Ihr Passwort eingegeben, danach aber keinen richtigen Code. Falsche Codes: {codes}.",
			Advice:  "Wenn Sie das nicht waren, ändern Sie Ihr Passwort. Es wurde niemand angemeldet.",
		},
		enrollment.EventRightAfterWrong: {
			Subject: "Anmeldung nach falschen Codes",
			Text:    "Jemand hat Ihr Passwort und nach falschen Codes einen richtigen eingegeben. Falsche Codes: {codes}.",
			Advice:  notYou,
		},
		enrollment.EventResynchronized: {
			Subject:  "Uhr eines Hardware-Tokens abgeglichen",
			Text:     "Die Uhr des Hardware-Tokens {name} wurde abgeglichen.",
			Nameless: "Die Uhr eines Hardware-Tokens wurde abgeglichen.",
			Advice:   notYou,
		},
		enrollment.EventMoved: {
			Subject: "Zwei-Faktor-Authentifizierung umgezogen",
			Text:    "Ihre Zwei-Faktor-Authentifizierung gehört jetzt zu Ihrer neuen Benutzer-ID.",
			ByAdmin: "Ein Administrator hat Ihre Zwei-Faktor-Authentifizierung auf Ihre neue Benutzer-ID übertragen.",
			Advice:  unasked,
		},
	}
}
