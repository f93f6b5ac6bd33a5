package storetest_test

import "slices"

// A fault is a way in which real stores are wrong. All cases in caught are
// meant for it and must fail; others may fail too.
type fault struct {
	name   string
	caught []string
	do     func(l *lab)
}

var faults = slices.Concat(saveFaults, loadFaults, idFaults, fieldFaults, contextFaults, listFaults, eraseFaults)
