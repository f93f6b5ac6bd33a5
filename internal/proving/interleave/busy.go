package interleave

// busyScene starts with an account that uses everything: two authenticators, a pending setup,
// an address to confirm, a trusted device, a reset request, and a renewal token. Operations
// meet here that are in different scenes otherwise. Three things are left to those: wrong
// answers to a challenge, because the owner hears of them later; a reset that can be approved,
// because any right code would end it; and operations of users who have no account yet.
func busyScene() scene {
	return scene{
		state: "busy",
		others: []operation{
			answerApp, verifyWrong, verifyNear, verifyRecovery, signInByDevice, answerThree, verifyThree, resynchronize,
			confirm, begin, replaceSecond, cancel, remove, rename,
			renew, renewOnce, renewalCodes, showCodes,
			trust, renameDevice, revoke, revokeAll, bind, confirmAddress, confirmWrongAddress, send, unbind,
			ask, cancelReset, refuseReset, takeOver, export, erase,
		},
		probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt, trySetup, tryDevice, tryNear("app", shownSoon)},
	}
}
