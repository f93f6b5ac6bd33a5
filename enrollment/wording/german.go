package wording

import (
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// German returns the words in German, with "Sie". Each call returns a new copy,
// which may be changed.
func German() *Language {
	return &Language{
		Tag:     "de",
		Denials: germanDenials(),
		Wait:    "Warten Sie {wait}, bevor Sie es noch einmal versuchen.",
		Fast:    "{wait} vor",
		Slow:    "{wait} nach",
		Denied:  "Das war nicht möglich.",
		Busy:    "Der Dienst ist gerade ausgelastet. Bitte versuchen Sie es in ein paar Sekunden noch einmal.",
		NotSent: "Wir konnten Ihnen keine Nachricht schicken. Bitte versuchen Sie es in einer Minute noch einmal oder verwenden Sie einen anderen Code.",
		Fault:   "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal. Wenn es wieder passiert, kontaktieren Sie uns.",
		Events:  germanEvents(),
		OtherEvent: Notice{
			Subject: "Sicherheit Ihres Kontos",
			Text:    "An Ihrer Zwei-Faktor-Authentifizierung hat sich etwas geändert.",
			Advice:  "Wenn Sie das nicht waren, ändern Sie Ihr Passwort und kontaktieren Sie uns.",
		},
		Note:  "Als Grund wurde {note} angegeben.",
		At:    "Das war am {time}.",
		From:  "Die Anfrage kam von {origin}.",
		Times: "Das ist {count}-mal passiert, zuletzt am {time}.",
		Channels: map[string]string{
			"sms": "SMS", "email": "E-Mail", "voice": "Anruf", "whatsapp": "WhatsApp",
		},
		Decisions: map[enrollment.Next]string{
			enrollment.Refuse:     "Wir können Sie im Moment nicht anmelden. Bitte versuchen Sie es später noch einmal oder kontaktieren Sie uns.",
			enrollment.Proceed:    "Sie sind angemeldet.",
			enrollment.AskCode:    "Geben Sie den Code ein, den Ihre App anzeigt, oder einen Ihrer anderen Codes.",
			enrollment.MustEnroll: "Für Ihr Konto ist die Zwei-Faktor-Authentifizierung Pflicht. Richten Sie sie jetzt ein, um sich anzumelden.",
		},
		EnrollBy: "Für Ihr Konto wird die Zwei-Faktor-Authentifizierung Pflicht. Richten Sie sie bis zum {time} ein. Danach können Sie sich nicht mehr ohne sie anmelden.",
		Factors: map[enrollment.Factor]string{
			enrollment.FactorTOTP:          "Authenticator-App",
			enrollment.FactorRecovery:      "Wiederherstellungscode",
			enrollment.FactorDelivered:     "Code in einer Nachricht",
			enrollment.FactorTrustedDevice: "vertrauenswürdiges Gerät",
			enrollment.FactorBypass:        "Ausnahme durch einen Administrator",
		},
		Sheet:   germanSheet(),
		Quotes:  [2]string{"„", "“"},
		Time:    "02.01.2006, 15:04 Uhr (MST)",
		Seconds: Unit{[]string{"{n} Sekunde", "{n} Sekunden"}, []string{"in {n} Sekunde", "in {n} Sekunden"}},
		Minutes: Unit{[]string{"{n} Minute", "{n} Minuten"}, []string{"in {n} Minute", "in {n} Minuten"}},
		Hours:   Unit{[]string{"{n} Stunde", "{n} Stunden"}, []string{"in {n} Stunde", "in {n} Stunden"}},
		Days:    Unit{[]string{"{n} Tag", "{n} Tage"}, []string{"in {n} Tag", "in {n} Tagen"}},
	}
}

func germanSheet() recovery.SheetWords {
	const safe = "Bewahren Sie dieses Blatt sicher auf, getrennt von dem Gerät, das Ihre anderen Codes anzeigt."
	return recovery.SheetWords{
		Lang:    "de",
		Account: "Konto: {account}",
		Created: "Erstellt am {date}",
		Date:    "02.01.2006",
		Many: recovery.SheetText{
			Title:    "Wiederherstellungscodes",
			TitleFor: "Wiederherstellungscodes für {issuer}",
			Use:      "Melden Sie sich mit einem dieser Codes an, wenn Sie keinen Zugriff auf Ihre gewohnten Codes haben, zum Beispiel weil Sie Ihr Telefon verloren haben. Jeder Code funktioniert nur einmal.",
			Advice: []string{
				safe,
				"Haken Sie jeden Code ab, den Sie benutzt haben.",
				"Erstellen Sie neue Codes, bevor die letzten aufgebraucht sind. Die alten sind dann ungültig.",
				"Unser Support fragt Sie niemals nach einem dieser Codes.",
			},
		},
		One: recovery.SheetText{
			Title:    "Wiederherstellungscode",
			TitleFor: "Wiederherstellungscode für {issuer}",
			Use:      "Melden Sie sich mit diesem Code an, wenn Sie keinen Zugriff auf Ihre gewohnten Codes haben, zum Beispiel weil Sie Ihr Telefon verloren haben. Er funktioniert nur einmal.",
			Advice: []string{
				safe,
				"Haken Sie ihn ab, wenn Sie ihn benutzt haben.",
				"Unser Support fragt Sie niemals danach.",
			},
		},
	}
}

func germanDenials() map[enrollment.Reason]map[enrollment.Factor]Phrase {
	const (
		again   = "Sie können es {in} noch einmal versuchen."
		tooMany = "Es wurden zu viele falsche Codes eingegeben. Warten Sie {wait}, bevor Sie es noch einmal versuchen."
	)
	return map[enrollment.Reason]map[enrollment.Factor]Phrase{
		enrollment.ReasonWrongCode: {
			"":                         {"Dieser Code ist falsch. Geben Sie den Code ein, den Ihre App jetzt anzeigt.", tooMany},
			enrollment.FactorRecovery:  {"Das ist keiner Ihrer Wiederherstellungscodes. Prüfen Sie Ihre Liste: Vielleicht ist sie veraltet.", tooMany},
			enrollment.FactorDelivered: {"Das ist nicht der Code aus unserer letzten Nachricht. Geben Sie den Code aus der neuesten Nachricht ein.", tooMany},
		},
		enrollment.ReasonReplayed: {
			"":                         {"Dieser Code wurde schon benutzt. Geben Sie den nächsten Code ein, den Ihre App anzeigt.", "Er erscheint spätestens {in}."},
			enrollment.FactorRecovery:  {"Diesen Wiederherstellungscode haben Sie schon benutzt. Nehmen Sie einen anderen.", tooMany},
			enrollment.FactorDelivered: {"Diesen Code haben Sie schon benutzt. Fordern Sie einen neuen an.", ""},
		},
		enrollment.ReasonMalformedCode: {"": {"Das ist kein Code. Codes aus einer App oder einer Nachricht haben 6 bis 8 Ziffern. Wiederherstellungscodes sind länger: Geben Sie einen so ein, wie er auf Ihrer Liste steht.", ""}},
		enrollment.ReasonClockSkew:     {"": {"Die Uhr Ihres Telefons geht etwa {skew}, deshalb sind seine Codes ungültig. Schalten Sie in den Einstellungen des Telefons die automatische Uhrzeit ein und geben Sie dann den Code ein, den Ihre App anzeigt.", ""}},
		enrollment.ReasonParamsIgnored: {"": {"Ihre App unterstützt unsere Art von Codes nicht. Löschen Sie den Eintrag in der App und verwenden Sie eine andere App.", ""}},
		enrollment.ReasonLocked: {
			"":                         {"Es wurden zu viele falsche Codes eingegeben.", "Warten Sie {wait}, bevor Sie es noch einmal versuchen. Bis dahin nehmen wir auch keinen richtigen Code an. Wenn Sie Wiederherstellungscodes haben, können Sie jetzt einen davon verwenden."},
			enrollment.FactorRecovery:  {"Es wurden zu viele falsche Wiederherstellungscodes eingegeben.", "Warten Sie {wait}, bevor Sie es noch einmal versuchen. Bis dahin nehmen wir auch keinen richtigen an."},
			enrollment.FactorDelivered: {"Es wurden zu viele falsche Codes aus Nachrichten eingegeben.", "Warten Sie {wait}, bevor Sie es noch einmal versuchen. Bis dahin nehmen wir auch keinen richtigen Code an. Wenn Sie Wiederherstellungscodes haben, können Sie jetzt einen davon verwenden."},
		},
		enrollment.ReasonFactorDisabled: {
			"":                         {"Es wurden zu viele falsche Codes eingegeben, deshalb sind Codes aus der App gesperrt. Verwenden Sie einen Wiederherstellungscode oder bitten Sie uns um Hilfe.", ""},
			enrollment.FactorRecovery:  {"Es wurden zu viele falsche Codes eingegeben, deshalb sind Wiederherstellungscodes gesperrt. Bitten Sie uns um Hilfe.", ""},
			enrollment.FactorDelivered: {"Es wurden zu viele falsche Codes eingegeben, deshalb sind Codes aus Nachrichten gesperrt. Verwenden Sie einen Wiederherstellungscode oder bitten Sie uns um Hilfe.", ""},
		},
		enrollment.ReasonChallengeInvalid:      {"": {"Das hat nicht geklappt. Bitte melden Sie sich noch einmal an.", ""}},
		enrollment.ReasonChallengeExpired:      {"": {"Das hat zu lange gedauert. Bitte melden Sie sich noch einmal an.", ""}},
		enrollment.ReasonChallengeSpent:        {"": {"Hier wurde schon ein Code angenommen, bei einem früheren Klick oder in einem anderen Tab, und die Antwort ist nicht auf dieser Seite angekommen. Bitte melden Sie sich noch einmal an.", ""}},
		enrollment.ReasonChallengeVoid:         {"": {"Dieser Code kann nicht mehr eingegeben werden: Ihre Sicherheitseinstellungen oder der Code haben sich geändert. Bitte melden Sie sich noch einmal an.", ""}},
		enrollment.ReasonSetupInvalid:          {"": {"Diese Einrichtung ist ungültig. Beginnen Sie eine neue.", ""}},
		enrollment.ReasonSetupExpired:          {"": {"Das hat zu lange gedauert, und der QR-Code ist abgelaufen. Löschen Sie den Eintrag in Ihrer App und beginnen Sie die Einrichtung neu.", ""}},
		enrollment.ReasonSetupSuperseded:       {"": {"Sie haben eine andere Einrichtung begonnen, vielleicht in einem anderen Tab. Löschen Sie den Eintrag dieser Einrichtung in Ihrer App und machen Sie dort weiter.", ""}},
		enrollment.ReasonNoSetup:               {"": {"Es gibt keine laufende Einrichtung. Sie ist abgeschlossen, abgebrochen oder abgelaufen, oder Ihre Sicherheitseinstellungen haben sich geändert.", ""}},
		enrollment.ReasonAlreadyConfirmed:      {"": {"Das ist bereits eingerichtet.", ""}},
		enrollment.ReasonAlreadyRenewed:        {"": {"Sie haben diese Wiederherstellungscodes bereits erstellt. Sie können nicht noch einmal angezeigt werden.", ""}},
		enrollment.ReasonRenewalInvalid:        {"": {"Diese Seite ist zu alt, oder Ihre Sicherheitseinstellungen haben sich geändert. Bitte öffnen Sie sie noch einmal.", ""}},
		enrollment.ReasonNotEnrolled:           {"": {"Die Zwei-Faktor-Authentifizierung ist nicht eingeschaltet. Richten Sie sie zuerst ein.", ""}},
		enrollment.ReasonTooManyAuthenticators: {"": {"Mehr Authenticator-Apps sind nicht möglich. Entfernen oder ersetzen Sie eine.", ""}},
		enrollment.ReasonTooManyCodeSets:       {"": {"Sie haben heute zu oft neue Wiederherstellungscodes erstellt.", "Die nächsten können Sie {in} erstellen."}},
		enrollment.ReasonUnknownAuthenticator:  {"": {"Diese Authenticator-App ist nicht mehr vorhanden.", ""}},
		enrollment.ReasonLastAuthenticator:     {"": {"Das ist Ihre einzige Authenticator-App. Ersetzen Sie sie, oder schalten Sie die Zwei-Faktor-Authentifizierung aus.", ""}},
		enrollment.ReasonDuplicateSecret:       {"": {"Dieser Authenticator ist schon eingerichtet.", ""}},
		enrollment.ReasonInvalidName:           {"": {"Verwenden Sie einen kürzeren Namen ohne Zeilenumbruch.", ""}},
		enrollment.ReasonAlreadyEnrolled:       {"": {"Die Zwei-Faktor-Authentifizierung ist schon eingeschaltet.", ""}},
		enrollment.ReasonWasEnrolled:           {"": {"Die Zwei-Faktor-Authentifizierung war schon einmal eingeschaltet, oder es wurde ein Ticket ausgestellt.", ""}},
		enrollment.ReasonShortSecret:           {"": {"Der Schlüssel eines Authenticators ist zu kurz.", ""}},
		enrollment.ReasonMustReplace:           {"": {"Der Code stimmt, aber der Schlüssel Ihrer Authenticator-App ist zu kurz. Richten Sie die App neu ein, um sich anzumelden.", ""}},
		enrollment.ReasonCodesNotKept:          {"": {"Wir können Ihre Wiederherstellungscodes nicht noch einmal zeigen. Erstellen Sie neue.", ""}},
		enrollment.ReasonUnknownDevice:         {"": {"Dieses Gerät ist nicht mehr vertrauenswürdig.", ""}},
		enrollment.ReasonNoAddress:             {"": {"Es gibt keine Adresse, an die wir einen Code schicken können. Verwenden Sie einen anderen Code.", ""}},
		enrollment.ReasonSameChannel:           {"": {"Über diesen Weg haben Sie sich gerade angemeldet, deshalb können wir den Code nicht auch dorthin schicken. Verwenden Sie einen anderen Code.", ""}},
		enrollment.ReasonTooSoon:               {"": {"Wir haben gerade eine Nachricht geschickt. Sie ist vielleicht noch unterwegs.", "Sie können {in} eine weitere anfordern."}},
		enrollment.ReasonTooManyMessages:       {"": {"Wir können Ihnen heute keine Nachricht mehr schicken. Verwenden Sie einen anderen Code.", "Sie können {in} wieder eine Nachricht anfordern."}},
		enrollment.ReasonNoAuthenticator:       {"": {"Richten Sie zuerst eine Authenticator-App ein.", ""}},
		enrollment.ReasonTrustNotAllowed:       {"": {"Wir merken uns keine Geräte und fragen bei jeder Anmeldung nach einem Code.", ""}},
		enrollment.ReasonTicketRequired:        {"": {"Geben Sie das Ticket ein, das Sie von Ihrem Administrator bekommen haben.", ""}},
		enrollment.ReasonTicketInvalid:         {"": {"Das ist nicht das Ticket, das Sie von Ihrem Administrator bekommen haben. Prüfen Sie es oder bitten Sie um ein neues.", ""}},
		enrollment.ReasonNoReset:               {"": {"Es gibt keine offene Anfrage zum Zurücksetzen.", ""}},
		enrollment.ReasonResetWaiting:          {"": {"Sie können die Anfrage noch nicht genehmigen. Der Inhaber des Kontos muss Zeit haben, sie abzubrechen.", "Warten Sie {wait}."}},
		enrollment.ReasonOwnerNotTold:          {"": {"Sie können die Anfrage noch nicht genehmigen. Der Inhaber des Kontos wurde noch nicht benachrichtigt. Bitten Sie den Betreiber dieses Dienstes, das zu prüfen.", ""}},
		enrollment.ReasonTooManyResets:         {"": {"Sie haben vor weniger als einem Tag um das Zurücksetzen gebeten.", "Sie können {in} wieder darum bitten."}},
		enrollment.ReasonInvalidBypass:         {"": {"Eine Ausnahme kann nicht zu dieser Zeit enden. Wählen Sie eine Zeit in naher Zukunft.", again}},
		enrollment.ReasonOwnAccount:            {"": {"Das können Sie nicht für Ihr eigenes Konto tun. Bitten Sie einen anderen Administrator.", ""}},
		enrollment.ReasonUserIDTaken:           {"": {"Zur neuen Benutzer-ID gibt es schon Daten einer Zwei-Faktor-Authentifizierung. Löschen Sie sie zuerst, wenn sie nicht gebraucht werden.", ""}},
		enrollment.ReasonProofRequired:         {"": {"Bitte bestätigen Sie, dass Sie es sind.", ""}},
		enrollment.ReasonProofInvalid:          {"": {"Bitte bestätigen Sie das noch einmal mit einem Code.", ""}},
		enrollment.ReasonProofStale:            {"": {"Ihre letzte Bestätigung ist zu lange her. Bitte bestätigen Sie das mit einem neuen Code.", ""}},
		enrollment.ReasonProofNotAllowed:       {"": {"Das können Sie hier nicht verwenden. Bitte bestätigen Sie auf andere Weise.", ""}},
		enrollment.ReasonEnrollTokenInvalid:    {"": {"Das hat zu lange gedauert oder ist inzwischen anderswo geschehen. Bitte melden Sie sich noch einmal an.", ""}},
	}
}
