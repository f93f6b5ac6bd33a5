package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// uriRE matches a whole otpauth URI in a document, a comment or an example.
var uriRE = regexp.MustCompile("otpauth://[^\\s\"'`<>]*secret=[^\\s\"'`<>]+")

// refusedURI is in the example of an error.
const refusedURI = "otpauth://totp/Acme:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Acme"

// The URIs in the documents, comments, examples and stored test data are read.
func TestURIs(t *testing.T) {
	t.Parallel()
	found := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		name := entry.Name()
		shown := strings.HasSuffix(name, ".md") || strings.HasPrefix(name, "example_") || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
		stored := strings.HasSuffix(name, ".json") && filepath.Base(filepath.Dir(path)) == "testdata" && name != "uris.json" // which package totp reads
		if !shown && !stored {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, uri := range uriRE.FindAllString(strings.ReplaceAll(string(text), `\u0026`, "&"), -1) {
			if uri == refusedURI {
				continue
			}
			found++
			_, label, err := totp.ParseURI(uri)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			} else if err := label.Validate(); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 15 {
		t.Errorf("only %d URIs", found)
	}
}
