package model

// step does one random operation.
func (r *modelRun) step() {
	u := r.users[min(1, r.rng.IntN(3))] // one of them is busier
	switch {
	case r.chance(40):
		r.three(u)
		return
	case r.chance(25):
		r.mandated(u)
		return
	case r.chance(30):
		r.drift(u)
		return
	}
	switch n := r.rng.IntN(147); {
	case n < 26:
		r.wait()
	case n < 32:
		r.begin(u)
	case n < 34:
		r.resume(u)
	case n < 41:
		r.confirm(u)
	case n < 49:
		if len(u.account.apps) < 3 {
			r.enroll(u)
		} else {
			r.answer(u)
		}
	case n < 50:
		r.cancel(u)
	case n < 59:
		r.signIn(u)
	case n < 70:
		r.answer(u)
	case n < 79:
		r.verify(u, r.typed(u))
	case n < 81:
		r.disable(u)
	case n < 85:
		r.remove(u)
	case n < 86:
		r.setupCodes(u)
	case n < 87:
		r.newCodesOnce(u)
	case n < 88:
		r.newCodeAgain(u)
	case n < 89:
		r.newCodes(u)
	case n < 91:
		r.restart()
	case n < 92:
		r.grind(u)
	case n < 93:
		r.marathon(u)
	case n < 94:
		r.fumble(u)
	case n < 95:
		r.renew(u)
	default:
		r.stepBeyond(u, n-95)
	}
}

// stepBeyond does one of the operations that fewer hosts need.
func (r *modelRun) stepBeyond(u *modelUser, n int) {
	switch {
	case n < 3:
		r.recent(u)
	case n < 7:
		r.showCodes(u)
	case n < 9:
		r.trust(u)
	case n < 10:
		r.listDevices(u)
	case n < 12:
		switch r.rng.IntN(4) {
		case 0:
			r.rename(u)
		case 1:
			r.renameDevice(u)
		default:
			r.revoke(u)
		}
	case n < 13:
		r.revokeAll(u)
	case n < 15:
		r.roam(u)
	case n < 17:
		r.bind(u)
	case n < 19:
		r.confirmAddress(u)
	case n < 21:
		r.send(u)
	case n < 22:
		r.unbind(u)
	case n < 25:
		r.courier(u)
	case n < 26:
		if r.chance(5) {
			r.besiege(u)
		} else {
			r.misdial(u)
		}
	case n < 28:
		r.adminReset(u)
	case n < 29:
		r.refuseReset(u)
	case n < 30:
		r.unlock(u)
	case n < 32:
		r.bypass(u)
	case n < 33:
		r.pass(u)
	case n < 34:
		r.erase(u)
	case n < 35:
		r.export(u)
	case n < 36:
		if r.chance(2) {
			r.moveIn(u)
		} else {
			r.importKeys(u)
		}
	case n < 38:
		r.migrate(u)
	case n < 40:
		r.requestReset(u)
	case n < 41:
		r.cancelReset(u)
	case n < 43:
		r.overdue(u)
	case n < 44:
		r.invite(u)
	case n < 46:
		r.sweep()
	case n < 48:
		r.move(u)
	case n < 51:
		r.burgle(u)
	default:
		r.reseal()
	}
}
