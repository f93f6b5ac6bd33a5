package enrollment_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A host lists who has two-factor authentication, and keeps the accounts in order.
func ExampleDirectory() {
	ctx := context.Background()
	accounts := memory.New() // a database in production
	keys, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := enrollment.NewDirectory(guard, accounts)
	if err != nil {
		log.Fatal(err)
	}

	for member, err := range dir.All(ctx, enrollment.Filter{States: []store.State{store.Confirmed}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(member.UserID, "has two-factor authentication")
	}

	swept, err := dir.Sweep(ctx) // every few minutes
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(swept.Seen, "were due")

	// Output:
	// 0 were due
}
