package recovery_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// From making a set to using one of its codes, without a database. Package
// enrollment does this, and stores the set before it answers.
func Example() {
	ctx := context.Background()

	// When two-factor authentication is set up.
	codes, err := recovery.Generate(nil, recovery.DefaultCount, recovery.Argon2id)
	if err != nil {
		log.Fatal(err)
	}
	derivation, err := recovery.NewDerivation(nil, recovery.Argon2id)
	if err != nil {
		log.Fatal(err)
	}
	set, err := derivation.DeriveAll(ctx, codes)
	if err != nil {
		log.Fatal(err)
	}
	stored, err := set.AppendBinary(nil)
	if err != nil {
		log.Fatal(err)
	}
	shown := codes.Reveal() // to the user, once
	fmt.Println(len(shown), "codes,", len(stored), "bytes to store")

	// When the phone is lost.
	set, err = recovery.DecodeSet(stored)
	if err != nil {
		log.Fatal(err)
	}
	code, err := recovery.ParseCode(" " + shown[3] + "\n")
	if err != nil {
		log.Fatal(err)
	}
	digest, err := set.Derivation().Derive(code)
	if err != nil {
		log.Fatal(err)
	}
	i, err := set.Spend(digest, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("code %d used at %v, %d left\n", i, set.SpentAt(i), set.Remaining())

	// And once more.
	_, err = set.Spend(digest, time.Now())
	fmt.Println(errors.Is(err, recovery.ErrWrong), errors.Is(err, recovery.ErrSpent))

	// Output:
	// 10 codes, 425 bytes to store
	// code 3 used at 2026-03-01 12:00:00 +0000 UTC, 9 left
	// true true
}

// A host that replaces each used code at once: the owner never runs out, and
// the rest of the sheet stays good.
func ExampleSet_Replace() {
	ctx := context.Background()
	codes, err := recovery.Generate(nil, 4, recovery.Fast)
	if err != nil {
		log.Fatal(err)
	}
	derivation, err := recovery.NewDerivation(nil, recovery.Fast)
	if err != nil {
		log.Fatal(err)
	}
	set, err := derivation.DeriveAll(ctx, codes)
	if err != nil {
		log.Fatal(err)
	}

	// The owner signs in with a code.
	typed, err := recovery.ParseCode(codes.Reveal()[2])
	if err != nil {
		log.Fatal(err)
	}
	digest, err := set.Derivation().Derive(typed)
	if err != nil {
		log.Fatal(err)
	}
	i, err := set.Spend(digest, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Remaining(), "of", set.Len(), "left")

	// A fresh code takes its place, before the set is stored.
	fresh, err := recovery.NewCode(nil, set.Derivation().Scheme())
	if err != nil {
		log.Fatal(err)
	}
	if digest, err = set.Derivation().Derive(fresh); err != nil {
		log.Fatal(err)
	}
	if err := set.Replace(i, digest); err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Remaining(), "of", set.Len(), "left")

	// Once the set is stored, the owner is let in and shown the fresh code.
	fmt.Printf("code %d is new, %d characters\n", i+1, len(fresh.Reveal()))

	// Output:
	// 3 of 4 left
	// 4 of 4 left
	// code 3 is new, 32 characters
}

// A host that has to show codes again keeps them sealed. The cipher stands for
// what the host seals its secrets with.
func ExampleDecodeCodes() {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		log.Fatal(err)
	}
	codes, err := recovery.Generate(nil, 10, recovery.Argon2id)
	if err != nil {
		log.Fatal(err)
	}

	clear, err := codes.AppendRevealed(nil)
	if err != nil {
		log.Fatal(err)
	}
	stored := seal.Seal(nil, nil, clear, []byte("recovery codes of alice"))
	fmt.Println(len(clear), "bytes in clear,", len(stored), "stored")

	opened, err := seal.Open(nil, nil, stored, []byte("recovery codes of alice"))
	if err != nil {
		log.Fatal(err)
	}
	again, err := recovery.DecodeCodes(opened)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Len(), slices.Equal(again.Reveal(), codes.Reveal()))

	// Output:
	// 102 bytes in clear, 130 stored
	// 10 true
}

func ExampleParseCode() {
	for _, typed := range []string{
		"ABCD-EFGH-JKMN-PQRS",
		"abcd efgh jkmn pqrs",
		"OIL0 1111 2222 3333",
		"123456",
	} {
		code, err := recovery.ParseCode(typed)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(code.Reveal(), code.Scheme())
	}
	// Output:
	// ABCD-EFGH-JKMN-PQRS argon2id
	// ABCD-EFGH-JKMN-PQRS argon2id
	// 0110-1111-2222-3333 argon2id
	// recovery: not a recovery code
}

func ExampleCode_Reveal() {
	code, err := recovery.ParseCode("abcdefghjkmnpqrs")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(code)
	fmt.Println(code.Reveal())
	// Output:
	// [redacted]
	// ABCD-EFGH-JKMN-PQRS
}

// Codes do not reach a response, a log or a cache by accident.
func ExampleCodes() {
	codes, err := recovery.Generate(nil, 4, recovery.Fast)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v %+v %d\n", codes, codes, codes)
	_, err = json.Marshal(struct{ Codes recovery.Codes }{codes})
	fmt.Println(err != nil)
	// Output:
	// [redacted] [redacted] [redacted]
	// true
}

func ExampleCodes_Sheet() {
	random := bytes.NewReader([]byte("these forty bytes are not random at all!")) // nil in a program
	codes, err := recovery.Generate(random, 4, recovery.Argon2id)
	if err != nil {
		log.Fatal(err)
	}
	sheet := codes.Sheet(recovery.Sheet{
		Issuer:  "Acme",
		Account: "alice@example.com",
		Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	})
	fmt.Print(strings.ReplaceAll(sheet, "\r\n", "\n"))
	// Output:
	// Recovery codes for Acme
	// =======================
	//
	// Account: alice@example.com
	// Created: 2026-03-01
	//
	// Use one of these codes to sign in when you cannot get your usual codes,
	// for example because you lost your phone. Each code works once.
	//
	//    1.  [ ]  EHM6-AWV5-41K6-YWKM
	//    2.  [ ]  F4G6-4YBM-CNSJ-0RBJ
	//    3.  [ ]  CMG6-WVVM-41S6-2VK4
	//    4.  [ ]  DXPJ-0RBM-41GP-RV11
	//
	// - Keep this sheet in a safe place, and not with the device that your
	//   other codes come from.
	// - Tick off each code that you have used.
	// - Make new codes before you run out. The old codes then stop working.
	// - Support staff will never ask you for one of these codes.
}

// A page of the host's own around the sheet. The host sends it with
// Cache-Control: no-store.
func ExampleCodes_SheetHTML() {
	random := bytes.NewReader([]byte("these forty bytes are not random at all!")) // nil in a program
	codes, err := recovery.Generate(random, 4, recovery.Argon2id)
	if err != nil {
		log.Fatal(err)
	}
	sheet := codes.SheetHTML(recovery.Sheet{
		Issuer:  "Acme",
		Account: "<b>alice</b>",
		Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	})
	page := template.Must(template.New("page").Parse("<main>\n{{.}}</main>\n"))
	if err := page.Execute(os.Stdout, template.HTML(sheet)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <main>
	// <section class="recovery-codes" lang="en" dir="ltr">
	// <h2>Recovery codes for <bdi>Acme</bdi></h2>
	// <p>Account: <bdi>&lt;b&gt;alice&lt;/b&gt;</bdi></p>
	// <p>Created: 2026-03-01</p>
	// <p>Use one of these codes to sign in when you cannot get your usual codes, for example because you lost your phone. Each code works once.</p>
	// <ol>
	// <li><span aria-hidden="true">☐</span> <code translate="no">EHM6-AWV5-41K6-YWKM</code></li>
	// <li><span aria-hidden="true">☐</span> <code translate="no">F4G6-4YBM-CNSJ-0RBJ</code></li>
	// <li><span aria-hidden="true">☐</span> <code translate="no">CMG6-WVVM-41S6-2VK4</code></li>
	// <li><span aria-hidden="true">☐</span> <code translate="no">DXPJ-0RBM-41GP-RV11</code></li>
	// </ol>
	// <ul>
	// <li>Keep this sheet in a safe place, and not with the device that your other codes come from.</li>
	// <li>Tick off each code that you have used.</li>
	// <li>Make new codes before you run out. The old codes then stop working.</li>
	// <li>Support staff will never ask you for one of these codes.</li>
	// </ul>
	// </section>
	// </main>
}
