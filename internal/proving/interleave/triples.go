package interleave

// Three operations at once.
//
// A write counts only if nobody has written since the process loaded, so what goes wrong
// between processes goes wrong between the one that writes and the one that wrote before.
// Two operations show that, with each fault. A third matters where two others have to come
// between two calls of one process, or where something can be used in three places. With
// faults, these are walked:
//
//   - Two conflicts in a row: the decision is taken a third time. So it is with a code that
//     three want to use, with a wrong one among them, and with recovery codes that are
//     replaced while two want to use one.
//   - A record that was erased and begun anew: what one process loaded, or does not know to
//     have stored, must not be taken for what stands there now. What has events is not
//     among these: Erase says that it can delete them before they are told.
//   - The two user ids of a move: a code is typed under both. A process that died during a
//     move makes no more calls, so it is not one of the three. interruptedScene starts with
//     what it left.
//   - A change of the key writes all that it finds, beside two who use the account.
//
// Without faults, all operations that write once at most are walked.

// threeIn are the triples with faults of each scene, by its title.
var threeIn = map[string][][]operation{
	"staged":            {{answerApp, verifyApp, verifyWrong}, {verifyRecovery, answerRecovery, renew}},
	"none":              {{beginFirst, erase, beginDemanded}},
	"new id":            {{move, verifyApp, at(newID, verifyApp)}, {move, verifyRecovery, at(newID, verifyRecovery)}},
	"staged moving":     {{move, verifyRecovery, disable}},
	"staged resealing":  {{reseal, answerApp, verifyApp}, {reseal, verifyWrong, disable}},
	"pending resealing": {{reseal, erase, beginFirst}},
}
