package operator

// all returns the commands, in the order of the help.
func all() []*command {
	return []*command{
		{name: "status", operands: "USER", count: 1, run: status,
			about: "Show what the user has set up, locks, and what happened lately"},
		{name: "unlock", operands: "USER", count: 1, flags: changes, run: act(unlock),
			about: "End the waits after wrong codes, and leave at least five guesses"},
		{name: "pass", operands: "USER", count: 1, flags: changes + " for", run: act(pass),
			about: "Let the password alone sign in for a while, at most Config.MaxBypass",
			more:  "The pass ends with the next right code. A later one replaces it. A user who has\nnothing set up is led to the setup afterwards."},
		{name: "reset", operands: "USER", count: 1, flags: changes + " ticket", run: act(reset),
			about: "Turn the second factor off, with all codes and devices",
			more:  "Make sure that it is the user who asks. With -ticket, the next setup has to bring\nthe ticket, so that somebody who has the password can't set it up first."},
		{name: "approve", operands: "USER", count: 1, flags: changes + " ticket", run: act(approve),
			about: "Carry out the reset that the user has asked for"},
		{name: "refuse", operands: "USER", count: 1, flags: changes, run: act(refuse),
			about: "Close the user's request for a reset"},
		{name: "move", operands: "OLD NEW", count: 2, flags: changes, run: act(move),
			about: "Move the account to another user id",
			more: "Move before the service uses the new id: until then that id signs in without a\ncode. Everything goes along but trust in devices, and a ticket, which has to be\n" +
				"issued anew. If it fails or is interrupted, run it again with the same ids:\nuntil it is done, neither id may be able to sign in. To give up a move of which\nthe old id still works, erase the new one."},
		{name: "erase", operands: "USER", count: 1, flags: changes, run: act(erase),
			about: "Delete the record, as for a user who was deleted",
			more:  "Afterwards the user has no second factor, and used codes are forgotten."},
		{name: "sweep", flags: " n every walk", run: sweep,
			about: "Do what is due: expired setups, reminders, undelivered events",
			more:  "Every service needs it every few minutes, here or by Directory.Sweep. About once a\nday it walks over all accounts."},
		{name: "reseal", flags: " n cursor", run: reseal,
			about: "Seal every account under the primary key, so that an old key can be dropped",
			more:  "Run it once all nodes have the new key in front, and again until no account is\nleft under the old one. Only then drop that."},
		{name: "check", run: check,
			about: "Check that the keys and the namespace fit the stored accounts"},
		{name: "unreadable", flags: changes + " erase yes keys-lost state", run: unreadable,
			about: "List the accounts that can't be opened; with -erase, delete them",
			more: "First look for the key: check names the one that is missing. A user whose account\nis erased has no second factor any more, and the password alone signs in. -yes is\n" +
				"the number that was listed, with the same -state. If another number is listed by\nnow, nothing is erased. An account that opens again by then is left alone."},
		{name: "stats", run: stats,
			about: "Count accounts by state, key, lock and what is due"},
	}
}
