package siege

// What a siege counts besides what it asks for.
const (
	appCode      Deed = "an app code"
	recoveryCode Deed = "a recovery code"
	lock         Deed = "a lock"
)

// mix is what happens in every round. A siege in which one of them was never acknowledged
// has not tried it.
var mix = [...]Deed{verify, signIn, appCode, recoveryCode, confirm, disable, renew, lock}

// ack notes what was acknowledged.
func (s *siege) ack(deeds ...Deed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range deeds {
		s.acked[d]++
	}
}
