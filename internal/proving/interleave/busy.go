package interleave

// busyScene has all at once: two authenticators and one that waits, an address that waits,
// a trusted device, a request for a reset, and a renewal of the recovery codes. So it has
// operations beside each other of which each other scene has one at most. It has no wrong
// codes, which count in the other scenes. Nor has it a reset that can be approved, since a
// right code ends it, or what begins an account.
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
