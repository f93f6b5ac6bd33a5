package keyring_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// Once, when the service is set up: make a key and keep its text where the
// other secrets are.
func ExampleGenerate() {
	ring, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	text := ring.Reveal()
	fmt.Println(strings.HasPrefix(text, "2026a:"), len(text))
	fmt.Println(ring, ring.IDs()) // what a log gets to see
	// Output:
	// true 49
	// [redacted] [2026a]
}

// At each start: read the text. A variable that is not set reads as "".
func ExampleParse() {
	_, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS_OF_NOBODY"))
	fmt.Println(err)
	// Output: keyring: invalid keys: the text is empty; the command newkey, in a folder of this package, makes a key
}

// A new key goes in front; what the old one sealed still opens.
func ExampleRing_Rotate() {
	ring, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	ring, err = ring.Rotate("2026b")
	if err != nil {
		log.Fatal(err)
	}
	again, err := keyring.Parse(ring.Reveal())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.IDs())
	// Output: [2026b 2026a]
}
