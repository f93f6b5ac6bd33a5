package report_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A host exports its own users with their second factors.
func ExampleWriteCSV() {
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

	names := map[string]string{"7": "Alice", "8": "=Bob"} // the host's users
	members := dir.Members(ctx, slices.Values([]string{"7", "8"}))
	written, err := report.WriteCSV(os.Stdout, members, report.Column{
		Header: "name",
		Value:  func(m enrollment.Member) string { return names[m.UserID] },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(written.Rows, "rows,", written.Unreadable.Total, "unreadable")

	// Output:
	// user_id,name,state,enabled,authenticators,channel,recovery_codes_left,trusted_devices,last_sign_in,last_factor,locked,bypass_until,must_enroll,setup_expires,reset_asked,reset_matures,error
	// 7,Alice,none,false,0,,0,0,,,,,false,,,,
	// 8,'=Bob,none,false,0,,0,0,,,,,false,,,,
	// 2 rows, 0 unreadable
}
