package enrollment_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A company gives its people hardware tokens. The vendor has sent their keys. Users
// type in the serial number and a code.
func ExampleBeginOptions_hardwareToken() {
	kit := enrollmenttest.New(new(testing.T))
	ctx := context.Background()
	const uri = "otpauth://totp/Vendor:26-0417?issuer=Vendor&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	key, _, err := totp.ParseURI(uri) // a line of the seed file
	if err != nil {
		log.Fatal(err)
	}
	given := map[string]map[string]totp.Key{"alice": {"26-0417": key}}

	token, ok := given["alice"]["26-0417"]
	if !ok {
		fmt.Println("this is not your token")
		return
	}
	setup, err := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{
		Name:          "token 26-0417",
		HardwareToken: token,
		Proof:         enrollment.ByReauth("password"),
	})
	if err != nil {
		log.Fatal(err)
	}
	if setup.HardwareToken { // and no QR code
		fmt.Printf("type in the %d digits that your token shows\n", setup.Params().Digits)
	}
	shown, err := enrollmenttest.Scan(uri) // the token
	if err != nil {
		log.Fatal(err)
	}
	done, err := kit.Guard.Confirm(ctx, "alice", setup.Token, shown.Code(kit.Clock.Now()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Event, "with", done.Codes.Len(), "recovery codes")
	// Output:
	// type in the 6 digits that your token shows
	// enabled with 10 recovery codes
}
