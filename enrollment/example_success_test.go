package enrollment_test

import (
	"context"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// A phone whose clock is half a minute ahead still signs in, and the page can say
// so before it no longer does.
func ExampleSuccess_drift() {
	kit := enrollmenttest.New(new(testing.T))
	alice := kit.Enroll("alice")
	code := alice.App.Code(kit.Clock.Now().Add(30 * time.Second))
	ok, err := kit.Guard.Verify(context.Background(), "alice", "delete-project", code)
	if err != nil {
		log.Fatal(err)
	}
	if ok.Drift > 0 {
		fmt.Println("The clock of your phone is about", ok.Drift, "fast. Set it automatically.")
	}
	// Output:
	// The clock of your phone is about 30s fast. Set it automatically.
}
