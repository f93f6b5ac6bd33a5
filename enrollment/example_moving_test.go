package enrollment_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The programs that MOVING.md speaks of. Each reads what another system stores
// of one user, and imports it.

// movingGuard is the Guard of the examples, on a clock that stands still.
func movingGuard() *enrollment.Guard {
	clock := enrollmenttest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	keys, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := enrollment.New(memory.New(), keys, enrollment.Config{Issuer: "Acme", Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	return guard
}

// printMoved shows what an import has come to.
func printMoved(guard *enrollment.Guard, userID string) {
	status, err := guard.Status(context.Background(), userID)
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range status.Authenticators {
		fmt.Printf("%s, added %s\n", x.Name, x.Added.Format(time.DateOnly))
	}
	fmt.Println("recovery codes:", status.CodesLeft)
}

// From a column with secrets for pquerna/otp: base32, or the whole otpauth URI.
func ExampleAdmin_Import_secretColumn() {
	ctx := context.Background()
	guard := movingGuard()
	rows := []struct{ userID, secret string }{
		{"user-1", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
		{"user-2", "otpauth://totp/Acme:bob@example.com?algorithm=SHA1&digits=6&issuer=Acme&period=30&secret=KRUGKIDROVUWG2ZAMJZG653OEBTG66BA"},
		{"user-3", "JBSWY3DPEHPK3PXP"}, // 80 bits
	}

	carry := guard.Admin("migration", "moving from pquerna/otp")
	for _, row := range rows {
		var key totp.Key
		var err error
		if strings.HasPrefix(row.secret, "otpauth://") {
			key, _, err = totp.ParseURI(row.secret)
		} else {
			var secret totp.Secret
			if secret, err = totp.ParseSecret(row.secret); err == nil {
				key, err = totp.NewKey(secret, totp.Params{}) // those that codes were made with
			}
		}
		if errors.Is(err, totp.ErrSecret) {
			fmt.Println(row.userID, "has to set up again")
			continue
		} else if err != nil {
			log.Fatal(err)
		}
		err = carry.Import(ctx, row.userID, enrollment.Import{
			Authenticators: []enrollment.ImportedAuthenticator{{Key: key}},
		})
		if err != nil && !errors.Is(err, enrollment.ReasonAlreadyEnrolled) { // from an earlier run
			log.Fatal(err)
		}
		printMoved(guard, row.userID)
	}
	// Output:
	// Authenticator, added 2026-01-02
	// recovery codes: 0
	// Authenticator, added 2026-01-02
	// recovery codes: 0
	// user-3 has to set up again
}

// From authboss: a secret in base32, and the bcrypt hashes of recovery codes in
// one text, with commas between them.
func ExampleAdmin_Import_authboss() {
	ctx := context.Background()
	guard := movingGuard()
	user := struct{ PID, TOTPSecretKey, RecoveryCodes string }{
		PID:           "user-1",
		TOTPSecretKey: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		RecoveryCodes: "$2a$10$L3P6wdpuKKVz1HsxZIHC1u0v2GqRJ6wkuoPwK2OrrFAOtsWti3zZe," +
			"$2a$10$ajZqyH6GeFSV2To3HWcdDeX6P4p752K.VBDeDt3irVC1kAVJQjW0O",
	}

	secret, err := totp.ParseSecret(user.TOTPSecretKey)
	if err != nil {
		log.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		log.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	for hash := range strings.SplitSeq(user.RecoveryCodes, ",") {
		if hash != "" { // of a user who has used all
			im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf([]byte(hash)))
		}
	}
	if err := guard.Admin("migration", "moving from authboss").Import(ctx, user.PID, im); err != nil {
		log.Fatal(err)
	}
	printMoved(guard, user.PID)

	// A code of the old sheet signs in, once.
	ok, err := guard.Verify(ctx, user.PID, "new-recovery-codes", "abd34-1b24d")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("by a", ok.Factor, "code,", ok.CodesLeft, "left")
	// Output:
	// Authenticator, added 2026-01-02
	// recovery codes: 2
	// by a recovery code, 1 left
}

// From Laravel Fortify: what its own application has decrypted, a secret in
// base32 and a JSON list of recovery codes in clear.
func ExampleAdmin_Import_fortify() {
	ctx := context.Background()
	guard := movingGuard()
	line := `{"id": 7, "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "confirmed_at": "2025-06-07T08:09:10Z",
		"codes": ["kYvNq2Rx0A-bT4mWc9LzE", "Hs71dPqUeo-Zx0aV5nGtJ"]}`

	var user struct {
		ID          int
		Secret      string
		ConfirmedAt time.Time `json:"confirmed_at"`
		Codes       []string
	}
	if err := json.Unmarshal([]byte(line), &user); err != nil {
		log.Fatal(err)
	}
	secret, err := totp.ParseSecret(user.Secret)
	if err != nil {
		log.Fatal(err) // ErrSecret for the 16 symbols that are its default
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		log.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Added: user.ConfirmedAt}}}
	for _, code := range user.Codes {
		sum := sha256.Sum256([]byte(code)) // 119 bits: a fast hash is enough
		im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(sum[:]))
	}
	userID := fmt.Sprint(user.ID)
	if err := guard.Admin("migration", "moving from Fortify").Import(ctx, userID, im); err != nil {
		log.Fatal(err)
	}
	printMoved(guard, userID)

	// A code of the old sheet signs in, once.
	ok, err := guard.Verify(ctx, userID, "new-recovery-codes", "Hs71dPqUeo-Zx0aV5nGtJ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("by a", ok.Factor, "code,", ok.CodesLeft, "left")
	// Output:
	// Authenticator, added 2025-06-07
	// recovery codes: 2
	// by a recovery code, 1 left
}

// From django-otp, with or without django-two-factor-auth: rows of
// otp_totp_totpdevice and otp_static_statictoken.
func ExampleAdmin_Import_django() {
	ctx := context.Background()
	guard := movingGuard()
	devices := []struct {
		name, key        string
		step, digits, t0 int
		confirmed        bool
		created          time.Time // since version 1.4
	}{
		{"default", "48656c6c6f21deadbeef48656c6c6f21deadbeef", 30, 6, 0, true, time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)},
		{"old tablet", "00112233445566778899aabbccddeeff00112233", 30, 6, 0, false, time.Time{}},
		{"token", "ffeeddccbbaa99887766554433221100ffeeddcc", 60, 8, 0, true, time.Time{}},
	}
	tokens := []string{"mzxw6ytb", "nbswy3dp", "orugs43j"}

	var im enrollment.Import
	for _, d := range devices {
		if !d.confirmed || d.t0 != 0 {
			continue
		}
		secret, err := totp.ParseHexSecret(d.key)
		if err != nil {
			log.Fatal(err)
		}
		key, err := totp.NewKey(secret, totp.Params{Digits: d.digits, Period: time.Duration(d.step) * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: key, Name: d.name, Added: d.created})
	}
	for _, token := range tokens {
		sum := sha256.Sum256([]byte(token)) // 40 bits: see MOVING.md
		im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(sum[:]))
	}
	if err := guard.Admin("migration", "moving from django-otp").Import(ctx, "user-1", im); err != nil {
		log.Fatal(err)
	}
	printMoved(guard, "user-1")
	// Output:
	// default, added 2024-05-06
	// token, added 2026-01-02
	// recovery codes: 3
}

// Users move one by one, each at the next sign-in.
func ExampleGuard_SignIn_movingIn() {
	ctx := context.Background()
	guard := movingGuard()
	old := map[string]string{"user-1": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"} // the table of the other system

	// The password was right.
	userID, o := "user-1", enrollment.SignInOptions{}
	if text, ok := old[userID]; ok {
		secret, err := totp.ParseSecret(text)
		if err != nil {
			log.Fatal(err)
		}
		key, err := totp.NewKey(secret, totp.Params{})
		if err != nil {
			log.Fatal(err)
		}
		o.Import = &enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	}
	d, err := guard.SignIn(ctx, userID, o)
	if err != nil {
		log.Fatal(err)
	}
	delete(old, userID)
	fmt.Println(d.Next)
	if !d.NextCode.IsZero() {
		fmt.Println("wait for the code of", d.NextCode.Format(time.TimeOnly))
	}
	// Output:
	// ask_code
	// wait for the code of 03:05:00
}

// Moving out: the secrets of a user in the forms that other systems read.
func ExampleAdmin_Export() {
	ctx := context.Background()
	guard := movingGuard()
	key, _, err := totp.ParseURI("otpauth://totp/Acme:alice@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")
	if err != nil {
		log.Fatal(err)
	}
	err = guard.Admin("migration", "moving in").Import(ctx, "user-1", enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "phone"}},
	})
	if err != nil {
		log.Fatal(err)
	}

	out, err := guard.Admin("migration", "moving to another system").Export(ctx, "user-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out) // shows nothing
	for _, x := range out.Reveal() {
		uri, err := x.Key.URI(totp.Label{Issuer: "Acme", Account: "alice@example.com"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(x.Name, uri)
		fmt.Println(x.Key.Secret().Base32(), x.Key.Params().Algorithm, x.Key.Params().Digits, x.Key.Params().Period)
	}
	// Output:
	// [redacted]
	// phone otpauth://totp/Acme:alice@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme
	// JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP SHA1 6 30s
}
