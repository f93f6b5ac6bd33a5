// Package listing has what the stores of this library share to list records: the
// cursor, which encodes the position after the last user id that was returned, and what a
// query selects.
package listing

import (
	"encoding/base64"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// prefix names the format. A later format has another one.
const prefix = "1."

// maxLen is the length of the longest cursor.
const maxLen = len(prefix) + (store.MaxUserID*8+5)/6

var encoding = base64.RawURLEncoding

// After returns the cursor of the position after that user. It can stand in a
// URL. It does not hide the user id.
func After(userID string) string {
	return prefix + encoding.EncodeToString([]byte(userID))
}

// Parse returns the user id of the cursor: the listing continues after it. It
// returns "" for the empty cursor, with which a listing begins, and
// store.ErrInvalid for a text that After does not return.
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
	// The decoder ignores line breaks and extra bits at the end, but a position
	// has exactly one text.
	if After(string(id)) != s {
		return "", errForeign()
	}
	return string(id), nil
}

func errForeign() error {
	return fmt.Errorf("%w: Cursor is not from this store", store.ErrInvalid)
}
