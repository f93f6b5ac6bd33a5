package operator

// all returns the commands, in the order of the help.
func all() []*command {
	return []*command{
		{name: "status", operands: "USER", count: 1, run: status,
			about: "Show what the user has set up, what is locked, and recent events"},
		{name: "unlock", operands: "USER", count: 1, flags: changes, run: act(unlock),
			about: "End the waits after wrong codes, and leave at least five guesses"},
		{name: "bypass", operands: "USER", count: 1, flags: changes + " for", run: act(bypass),
			about: "Let the password alone sign in for a while, at most Config.MaxBypass",
			more:  "The bypass ends with the next right code. A later one replaces it. A user who has\nnothing set up is led to the setup afterwards."},
		{name: "reset", operands: "USER", count: 1, flags: changes + " ticket", run: act(reset),
			about: "Turn the second factor off, with all codes and devices",
			more:  "Make sure that it is the user who asks. With -ticket, the next setup asks for the\nticket, so that an attacker with the password can't be the first to set it up."},
		{name: "approve", operands: "USER", count: 1, flags: changes + " ticket", run: act(approve),
			about: "Carry out the reset that the user has asked for"},
		{name: "refuse", operands: "USER", count: 1, flags: changes, run: act(refuse),
			about: "Close the user's request for a reset"},
		{name: "move", operands: "OLD NEW", count: 2, flags: changes, run: act(move),
			about: "Move the account to another user id",
			more: "Move before the service uses the new id: until then that id signs in without a\ncode. Trust in devices ends, and a ticket has to be issued again; everything\n" +
				"else moves. If it fails or is interrupted, run it again with the same ids: until it\nis done, perhaps neither id can sign in. To give up a move while the old id still\nworks, erase the new one."},
		{name: "erase", operands: "USER", count: 1, flags: changes, run: act(erase),
			about: "Delete the record, for example of a user who was deleted",
			more:  "Afterwards the user has no second factor, and used codes are forgotten."},
		{name: "sweep", flags: " n every walk", run: sweep,
			about: "Do what is due: expired setups, reminders, undelivered events",
			more:  "Every service needs this every few minutes, by this command or by Directory.Sweep.\nAbout once a day it walks over all accounts."},
		{name: "reseal", flags: " n cursor", run: reseal,
			about: "Seal every account under the primary key, so that an old key can be dropped",
			more:  "Run it when all nodes have the new key in front, and again until no account is left\nunder the old key. Drop the old key a day later. Keep its text as long as any backup\nof the database in which accounts are under it."},
		{name: "check", run: check,
			about: "Check that the keys and the namespace fit the stored accounts"},
		{name: "unreadable", flags: changes + " erase yes keys-lost state", run: unreadable,
			about: "List the accounts that can't be opened; with -erase, erase them",
			more: "First look for the key: check names the one that is missing. A user whose account\nis erased has no second factor any more, and the password alone signs in. -yes is\n" +
				"the number that was listed, with the same -state. If the number has changed since,\nnothing is erased. An account that can be opened again is not erased."},
		{name: "stats", run: stats,
			about: "Count accounts by state, key and lock, and those that are due"},
	}
}
