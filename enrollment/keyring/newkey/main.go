// Command newkey prints a fresh key for package keyring: one line of the form
// id:secret, with a random id. Run it once, when a service is set up, and once
// for each rotation:
//
//	go run github.com/seed-1b6a03a1/twofactor/enrollment/keyring/newkey
//
// The flag -h explains where the line goes.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

const help = `Usage: newkey

newkey prints a fresh key as one line of the form id:secret. The id is random.
keyring.Parse reads the line.

The first key: keep the line where the service keeps its other secrets, for
example in the variable TWOFACTOR_KEYS. Keep it apart from the database, and
back it up: without it, no user can pass the second step again.

Rotation: the first key seals, and each key opens what it sealed. First deploy
the new key at the end of the list, with a comma between, to all nodes. Then
deploy it in front. A service that is one process can begin with the second step.

	TWOFACTOR_KEYS=oldid:oldsecret,newid:newsecret
	TWOFACTOR_KEYS=newid:newsecret,oldid:oldsecret

After that, Directory.Reseal moves the stored accounts to the new key. Remove
the old key one day after Reseal has found no account under it, and keep its
line as long as any backup of the database in which accounts are under it.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the arguments say and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("newkey", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(stdout, help)
		return 0
	}
	if err == nil && flags.NArg() > 0 {
		err = errors.New("it takes no arguments")
	}
	if err != nil {
		fmt.Fprintf(stderr, "newkey: %v\n\n%s", err, help)
		return 2
	}
	// A ring can't hold two keys with one id, so the id is drawn, too.
	ring, err := keyring.Generate(strings.ToLower(rand.Text()[:8]))
	if err == nil {
		_, err = fmt.Fprintln(stdout, ring.Reveal())
	}
	if err != nil {
		fmt.Fprintln(stderr, "newkey:", err)
		return 1
	}
	return 0
}
