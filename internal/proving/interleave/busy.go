package interleave

// busyScene has all at once: two authenticators and one that waits, an address that waits,
// a trusted device, a request for a reset, and a renewal of the recovery codes. So it has
// operations beside each other of which each other scene has one at most. Wrong codes are
// in those, and so are a reset that can be approved, which no right code has ended, and what
// belongs to an account that is not there yet.
func busyScene() scene {
	return scene{
		state: "busy",
		others: []operation{
			answerApp, verifyRecovery, signInByDevice, answerThree, verifyThree, resynchronize,
			confirm, begin, replaceSecond, cancel, remove, rename,
			renew, renewOnce, renewalCodes, showCodes,
			trust, renameDevice, revoke, revokeAll, bind, confirmAddress, send, unbind,
			ask, cancelReset, refuseReset, takeOver, export, erase,
		},
		probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt, trySetup, tryDevice},
	}
}
