package siege

// An operation is a part of what a siege mixes.
type operation string

const (
	verify       operation = "Verify"
	signIn       operation = "Answer"
	appCode      operation = "an app code"
	recoveryCode operation = "a recovery code"
	setup        operation = "Confirm"
	disabling    operation = "Disable"
	renewal      operation = "RenewCodesOnce"
	lock         operation = "a lock"
)

// mix is what happens in every round. A siege in which one of them was never acknowledged
// has not tried it.
var mix = [...]operation{verify, signIn, appCode, recoveryCode, setup, disabling, renewal, lock}

// ack notes that operations were acknowledged.
func (s *siege) ack(ops ...operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		s.acked[op]++
	}
}
