// Package cursor encodes the position of a listing that is ordered by user id:
// the last id that was returned. It is shared by the stores of this library.
package cursor

import (
	"encoding/base64"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// prefix names the format, so that a later one can tell them apart.
const prefix = "1."

// maxLen is the length of the longest cursor.
const maxLen = len(prefix) + (store.MaxUserID*8+5)/6

var encoding = base64.RawURLEncoding

// After returns the cursor of the position behind that user. It is safe in
// URLs, and readable: it hides nothing.
func After(userID string) string {
	return prefix + encoding.EncodeToString([]byte(userID))
}

// Parse returns the user behind which the listing goes on, or "" for the empty
// cursor, the beginning. It returns store.ErrInvalid for anything that After
// does not return.
func Parse(s string) (userID string, err error) {
	if s == "" {
		return "", nil
	}
	if len(s) > maxLen || len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return "", errForeign()
	}
	id, err := encoding.DecodeString(s[len(prefix):])
	if err != nil || store.ValidateUserID(string(id)) != nil {
		return "", errForeign()
	}
	// The decoder overlooks line breaks and stray bits at the end; a position
	// has exactly one text.
	if After(string(id)) != s {
		return "", errForeign()
	}
	return string(id), nil
}

func errForeign() error {
	return fmt.Errorf("%w: Cursor is not one of this store", store.ErrInvalid)
}
