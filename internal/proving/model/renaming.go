package model

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Renaming: the rules, and the operations of the driver.

func modelRenames(kind enrollment.EventKind) bool {
	return kind == enrollment.EventAuthenticatorRenamed || kind == enrollment.EventDeviceRenamed
}

// forgetRenamed keeps three events of renaming in the history.
func (a *modelAccount) forgetRenamed() {
	var at []int
	for i, e := range a.history {
		if modelRenames(e.Kind) {
			at = append(at, i)
		}
	}
	if len(at) > 3 {
		a.history = slices.Delete(a.history, at[0], at[0]+1)
	}
}

func (r *modelRun) newName() string {
	return []string{"work", "home", "Authenticator", "Device", strings.Repeat("n", 64), strings.Repeat("n", 65), "", "a\x00b"}[r.rng.IntN(8)]
}

func modelNamed(name string) bool {
	return name != "" && len(name) <= 64 && !strings.Contains(name, "\x00")
}

func (r *modelRun) rename(u *modelUser) {
	id, name := "00ff00ff00ff00ff", r.newName()
	if x, ok := modelPick(r, u.account.apps); ok && !r.chance(8) {
		id = x.id
	}
	r.do(u, fmt.Sprintf("Rename %s to %q", id, name), func(a *modelAccount, _ int) *modelNo {
		if !modelNamed(name) {
			return modelForm(enrollment.ReasonInvalidName)
		}
		i := a.find(id)
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case i < 0:
			return modelDeny(enrollment.ReasonUnknownAuthenticator)
		case a.apps[i].name == name:
			return nil
		}
		e := enrollment.Event{Kind: enrollment.EventAuthenticatorRenamed, Name: a.apps[i].name}
		a.apps[i].name = name
		a.record(r.now(), e)
		return nil
	}, func(ctx context.Context) error { return r.guard.Rename(ctx, u.name, id, name) }, nil)
}

func (r *modelRun) renameDevice(u *modelUser) {
	id, name := "00ff00ff00ff00ff", r.newName()
	if d, ok := modelPick(r, u.account.devices); ok && !r.chance(5) {
		id = d.id
	}
	r.do(u, fmt.Sprintf("RenameDevice %s to %q", id, name), func(a *modelAccount, _ int) *modelNo {
		if !modelNamed(name) {
			return modelForm(enrollment.ReasonInvalidName)
		}
		a.devices = a.trusted(r.now())
		i := slices.IndexFunc(a.devices, func(d modelDevice) bool { return d.id == id })
		switch {
		case i < 0:
			return modelDeny(enrollment.ReasonUnknownDevice)
		case a.devices[i].name == name:
			return nil
		}
		e := enrollment.Event{Kind: enrollment.EventDeviceRenamed, Name: a.devices[i].name}
		a.devices[i].name = name
		a.record(r.now(), e)
		return nil
	}, func(ctx context.Context) error { return r.guard.Devices().Rename(ctx, u.name, id, name) }, nil)
}
