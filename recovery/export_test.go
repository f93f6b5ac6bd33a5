package recovery

import "unique"

// HostileDerivation returns a Derivation that no exported function lets
// through, to show that Derive checks for itself.
func HostileDerivation(s Scheme, memory uint32, passes, threads uint8) Derivation {
	return Derivation{costs: costs{scheme: s, memory: memory, passes: passes, threads: threads}, salt: unique.Make("sixteen byte slt")}
}
