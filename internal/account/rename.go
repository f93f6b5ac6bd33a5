package account

import "slices"

// maxRenamed is how many events of renaming the history holds. Renaming takes no
// proof, so it must not drive out what the owner has to see.
const maxRenamed = 3

func (k EventKind) renames() bool { return k == EventAuthenticatorRenamed || k == EventDeviceRenamed }

// limitRenamed drops the oldest events of renaming that are too many.
func limitRenamed(history []Event) []Event {
	n := 0
	for i := len(history) - 1; i >= 0; i-- {
		if !history[i].Kind.renames() {
			continue
		}
		if n++; n > maxRenamed {
			history = slices.Delete(history, i, i+1)
		}
	}
	return history
}

// Rename gives an authenticator another name. The event has the name before. It
// changes nothing if the name is the same.
func (a *Account) Rename(m Moment, id AuthenticatorID, name string) error {
	if !a.enrolled() {
		return refuse(NotEnrolled)
	}
	i := a.find(id)
	if i < 0 {
		return refuse(UnknownAuthenticator)
	}
	before := a.authenticators[i].Name
	if before == name {
		return nil
	}
	a.authenticators[i].Name = name
	return a.record(m, Event{Kind: EventAuthenticatorRenamed, Name: before})
}

// RenameDevice is Rename for a trusted device.
func (a *Account) RenameDevice(m Moment, id DeviceID, name string) error {
	devices, err := a.tidyDevices(m.Now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(*devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return refuse(UnknownDevice)
	}
	before := (*devices)[i].Name
	if before == name {
		return nil
	}
	(*devices)[i].Name = name
	a.devices.touch()
	return a.record(m, Event{Kind: EventDeviceRenamed, Name: before})
}
