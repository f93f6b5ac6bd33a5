// Package wording has words for what package enrollment answers: for each reason
// of a denial, each event, each decision, and the sheet of recovery codes, in
// English and German. An application imports it if it does not want to write its
// own:
//
//	words := wording.English()
//	answer := words.Describe(err, time.Now())
//	if answer.Wait > 0 {
//		w.Header().Set("Retry-After", answer.RetryAfter())
//	}
//	http.Error(w, answer.Text, answer.Status)
//
// Texts say what happened and what to do next. They depend only on what the
// caller was told: two errors that look the same to the caller read the same.
//
// # Other words and languages
//
// A [Language] is a struct of tables. Change the copy that [English] returns, or
// fill in a Language of your own. Call [Language.Check] in a test: it fails if
// something has no words, also when a later version of the library adds a reason.
//
// # Where the texts may go
//
// All texts are plain text. A page in HTML must escape them, as html/template
// does with a string; do not convert them to template.HTML. Subjects are single
// lines and hold nothing that a user typed. They can have letters outside ASCII,
// which a mail header needs encoded, for example by mime.QEncoding.
//
// Names and reasons in the texts come from users and administrators, and perhaps
// from an attacker. They appear in quotation marks, on one line, shortened, and
// without control characters. Their dots, colons and slashes are spaced so that a
// mail program finds no link in them.
package wording
