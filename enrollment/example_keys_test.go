package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A program checks its keys once, before it serves.
func ExampleDirectory_CheckKeys() {
	ctx := context.Background()
	accounts := memory.New()

	// start is what a program does when it starts.
	start := func(keys *keyring.Ring) (*enrollment.Guard, error) {
		guard, err := enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			return nil, err
		}
		directory, err := enrollment.NewDirectory(guard, accounts)
		if err != nil {
			return nil, err
		}
		return guard, directory.CheckKeys(ctx)
	}

	keys, err := keyring.Generate("first")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := start(keys)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "alice@example.com", Proof: enrollment.ByReauth("password")}); err != nil {
		log.Fatal(err)
	}

	// The next start finds another key in its configuration, with the same id.
	other, err := keyring.Generate("first")
	if err != nil {
		log.Fatal(err)
	}
	_, err = start(other)
	fmt.Println(errors.Is(err, keyring.ErrWrongKey))
	// Output: true
}
