package states

import "github.com/seed-1b6a03a1/twofactor/internal/proving"

// Tests walk the tables of the documentation.
var Tests = []proving.Test{
	{Name: "TestStateTable", Run: TestStateTable},
	{Name: "TestStateTableAlone", Run: TestStateTableAlone},
	{Name: "TestStateTableOutdated", Run: TestStateTableOutdated},
	{Name: "TestAuthenticatorBesideAddress", Run: TestAuthenticatorBesideAddress},
	{Name: "TestRepetitions", Run: TestRepetitions},
	{Name: "TestRepetitionsHaveWords", Run: TestRepetitionsHaveWords},
	{Name: "TestProofTable", Run: TestProofTable},
	{Name: "TestFirstProofTable", Run: TestFirstProofTable},
	{Name: "TestMovedRefusesEverything", Run: TestMovedRefusesEverything},
	{Name: "TestStatusSaysWhatIsPossible", Run: TestStatusSaysWhatIsPossible},
	{Name: "TestStatusOfAnAddressAlone", Run: TestStatusOfAnAddressAlone},
	{Name: "TestStatusSaysWhenToSend", Run: TestStatusSaysWhenToSend},
	{Name: "TestStampTable", Run: TestStampTable},
	{Name: "TestStampOfSessions", Run: TestStampOfSessions},
	{Name: "TestWaiversYieldNoReceipt", Run: TestWaiversYieldNoReceipt},
	{Name: "TestCase81_AbsenceAfterTheContext", Run: TestCase81_AbsenceAfterTheContext},
	{Name: "TestErasureAfterTheContext", Run: TestErasureAfterTheContext},
}
