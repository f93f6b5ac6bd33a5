package integration_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestCase59_CodesOfCorpus compares the codes of the keys in the corpus of package
// totp with those that oathtool makes of the text of the secret, also where bits are
// left over behind its last byte. Package totp asks pquerna/otp itself.
func TestCase59_CodesOfCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../totp/testdata/uris.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus []struct{ Name, URI string }
	if err := json.Unmarshal(data, &corpus); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	asked := make(map[string]bool)
	leftOver := 0
	for _, u := range corpus {
		key, _, err := totp.ParseURI(u.URI)
		if err != nil {
			t.Fatalf("%s: %v", u.Name, err)
		}
		_, query, _ := strings.Cut(u.URI, "?")
		values, _ := url.ParseQuery(query) // the values that it can read
		text, p := values.Get("secret"), key.Params()
		// oathtool refuses padding that is superfluous. Most keys are the same.
		text = strings.TrimRight(text, "=")
		kind := fmt.Sprint(text, p)
		if text == "" || asked[kind] { // named SECRET, or like another one
			continue
		}
		asked[kind] = true
		if strings.Contains(u.Name, "left over") {
			leftOver++
		}
		code, err := key.Code(at)
		if err != nil {
			t.Fatal(err)
		}
		theirs := strings.TrimSpace(run(t, text, "oathtool",
			"--base32", "--totp="+strings.ToLower(p.Algorithm.String()),
			"--digits", fmt.Sprint(p.Digits), "--time-step-size", fmt.Sprint(int(p.Period.Seconds()), "s"),
			"--now", at.Format("2006-01-02 15:04:05 UTC"), "-"))
		if theirs != code {
			t.Errorf("%s: oathtool makes the code %s, want %s", u.Name, theirs, code)
		}
	}
	if leftOver != 4 {
		t.Errorf("%d keys have bits left over, want one for each number of bits", leftOver)
	}
}
