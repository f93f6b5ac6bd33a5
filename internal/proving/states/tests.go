package states

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Tests walk the tables of the documentation.
var Tests = []proving.Test{
	walks(proving.Few, "TestStateTable", TestStateTable),
	walks(proving.Few, "TestStateTableAlone", TestStateTableAlone),
	walks(proving.Few, "TestStateTableOutdated", TestStateTableOutdated),
	{Name: "TestAuthenticatorBesideAddress", Run: TestAuthenticatorBesideAddress},
	walks(proving.Some, "TestRepetitions", TestRepetitions),
	{Name: "TestRepetitionsHaveWords", Run: TestRepetitionsHaveWords, Once: true},
	{Name: "TestProofTable", Run: TestProofTable, Once: true},
	{Name: "TestFirstProofTable", Run: TestFirstProofTable, Once: true},
	walks(proving.Few, "TestMovedRefusesEverything", TestMovedRefusesEverything),
	{Name: "TestStatusSaysWhatIsPossible", Run: TestStatusSaysWhatIsPossible, Once: true},
	{Name: "TestStatusOfAnAddressAlone", Run: TestStatusOfAnAddressAlone, Once: true},
	{Name: "TestStatusSaysWhenToSend", Run: TestStatusSaysWhenToSend},
	walks(proving.Few, "TestStampTable", TestStampTable),
	{Name: "TestStampOfSessions", Run: TestStampOfSessions},
	{Name: "TestWaiversYieldNoReceipt", Run: TestWaiversYieldNoReceipt},
	walks(proving.Few, "TestCase81_AbsenceAfterTheContext", TestCase81_AbsenceAfterTheContext),
	{Name: "TestErasureAfterTheContext", Run: TestErasureAfterTheContext},
}

// walks is a test with a subtest for each cell of a table, and which of them are few.
func walks(few proving.Share, name string, test func(t *testing.T, open proving.Open)) proving.Test {
	return proving.Test{
		Name: name,
		Run:  func(t *testing.T, open proving.Open) { test(t, proving.Emptied(t, open)) },
		Few:  func(t *testing.T, open proving.Open) { test(t, few.Of(proving.Emptied(t, open))) },
	}
}
