package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// maxBody is the size of the largest body that is read, in bytes.
const maxBody = 32 << 10

// noTime makes Describe take the wait that the Guard reckoned.
var noTime time.Time

// fields are what a client sends, as a form, in the query, or as JSON.
type fields struct {
	Code      codes
	Challenge string // JSON only; browsers have cookies
	Token     string
	Purpose   string
	Return    string // not in JSON
	ID        string
	Name      string
	Replace   string
	Ticket    string
	To        string
	With      string // not in JSON; see withText
	Mark      string // not in JSON or an address; of the account that the form is about
	Trust     bool
	Enroll    string // JSON only
}

// member returns where the member of a JSON object goes to, or nil. Names are exact:
// package json would take "CODE" as well.
func (f *fields) member(name string) any {
	switch name {
	case "code":
		return &f.Code
	case "challenge":
		return &f.Challenge
	case "token":
		return &f.Token
	case "for":
		return &f.Purpose
	case "id":
		return &f.ID
	case "name":
		return &f.Name
	case "replace":
		return &f.Replace
	case "ticket":
		return &f.Ticket
	case "to":
		return &f.To
	case "trust":
		return &f.Trust
	case "enroll_token":
		return &f.Enroll
	}
	return nil
}

// codes are the texts of the code fields.
type codes []string

// UnmarshalJSON reads one text or a list of them.
func (c *codes) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*c = codes{one}
		return nil
	}
	var many []string
	err := json.Unmarshal(b, &many)
	*c = many
	return err
}

func (c codes) first() string {
	if len(c) == 0 {
		return ""
	}
	return c[0]
}

// wantsJSON reports whether the client speaks JSON. What changes something must be sent
// as JSON, which a page of another origin can't do unasked.
func wantsJSON(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		accept := r.Header.Get("Accept")
		return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// read reads what the client has sent. It answers the request if that can't be read.
func (c *call) read() bool {
	if c.r.Method != http.MethodPost {
		c.in = fieldsOf(c.r.URL.Query())
		return true
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxBody)
	var err error
	if c.json {
		err = c.readJSON()
	} else {
		err = c.readForm()
	}
	c.in.Name = strings.TrimSpace(c.in.Name) // a name of spaces can't be seen
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		c.refuse(http.StatusRequestEntityTooLarge, "large")
	case errors.Is(err, errMediaType):
		c.refuse(http.StatusUnsupportedMediaType, "media_type")
	case err != nil:
		c.refuse(http.StatusBadRequest, "malformed")
	}
	return err == nil
}

var errMediaType = errors.New("web: neither a form nor JSON")

// readJSON reads one object, or null. A name that comes twice is refused: a proxy may have
// looked at the one, and this would take the other. Names that are not known are left out.
func (c *call) readJSON() error {
	decoder := json.NewDecoder(c.r.Body)
	start, err := decoder.Token()
	switch {
	case err != nil:
		return err
	case start == json.Delim('{'):
		err = c.readMembers(decoder)
	case start != nil:
		err = errors.New("web: no object")
	}
	if err != nil {
		return err
	}
	if _, err = decoder.Token(); errors.Is(err, io.EOF) {
		return nil
	}
	return errors.Join(errors.New("web: more than one value"), err)
}

func (c *call) readMembers(decoder *json.Decoder) error {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder takes no other
		if seen[name] {
			return errors.New("web: a name comes twice")
		}
		seen[name] = true
		to := c.in.member(name)
		if to == nil {
			to = new(json.RawMessage)
		}
		if err := decoder.Decode(to); err != nil {
			return err
		}
	}
	_, err := decoder.Token() // the end of the object
	return err
}

func (c *call) readForm() error {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if c.r.ContentLength != 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return errMediaType
	}
	if err := c.r.ParseForm(); err != nil {
		return err
	}
	c.in = fieldsOf(c.r.PostForm)
	c.in.Mark = c.r.PostForm.Get("mark")
	return nil
}

func fieldsOf(v url.Values) fields {
	return fields{
		Code:    v["code"],
		Token:   v.Get("token"),
		Purpose: v.Get("for"),
		Return:  v.Get("return"),
		ID:      v.Get("id"),
		Name:    v.Get("name"),
		Replace: v.Get("replace"),
		Ticket:  v.Get("ticket"),
		To:      v.Get("to"),
		With:    v.Get("with"),
		Trust:   v.Get("trust") != "",
	}
}

// writeJSON writes an object as JSON.
func (c *call) writeJSON(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		c.config.Fail(c.w, c.r, err)
		return
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(append(body, '\n'))
}

// answerDenied writes the reason of a denial, its members, and a text for the user.
func (c *call) answerDenied(status int, text string, reason error) {
	denied := deniedIn(reason)
	body := map[string]any{"text": text}
	switch {
	case denied != nil:
		encoded, err := json.Marshal(denied)
		if err == nil {
			err = json.Unmarshal(encoded, &body)
		}
		if err != nil {
			c.config.Fail(c.w, c.r, err)
			return
		}
		if r := denied.Replace; r != nil { // what leads to the setup
			body["enroll_token"], body["replace"] = r.EnrollToken, r.Authenticator
		}
		if !c.replacement.IsZero() {
			body["new_code"] = c.replacement.Reveal()
		}
	case errors.Is(reason, enrollment.ErrNotSent):
		body["reason"] = "not_sent"
	default:
		body["reason"] = "busy"
	}
	c.writeJSON(status, body)
}
