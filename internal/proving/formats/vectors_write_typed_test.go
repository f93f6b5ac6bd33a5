package formats_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// writeSets makes vectors of recovery codes.
func (w *vectorWorld) writeSets() {
	var list []vectorSet
	for _, token := range w.tokens {
		if token.Codes != nil {
			list = append(list, vectorSet{Name: token.Name, Use: token.Use, ID: token.Payload["id"], Seed: token.Payload["seed"], Scheme: "fast", Count: len(token.Codes)})
		}
	}
	seed, id := sha256.Sum256([]byte("seed")), sha256.Sum256([]byte("id"))
	for _, v := range []vectorSet{{Name: "argon2id, 4 codes", Count: 4}, {Name: "argon2id, 10 codes", Count: 10}} {
		v.Use, v.ID, v.Seed, v.Scheme = "setup", hex.EncodeToString(id[:16]), hex.EncodeToString(seed[:]), "argon2id"
		list = append(list, v)
	}
	for i := range list {
		v := &list[i]
		v.Namespace, v.UserID = w.namespace, vectorUser
		codes, _ := v.codes(w.t)
		v.Codes = codes.Reveal()
		salt := sha256.Sum256([]byte(v.Name))
		d, err := recovery.NewDerivation(bytes.NewReader(salt[:16]), v.scheme())
		w.must(err)
		set, err := d.DeriveAll(w.t.Context(), codes)
		w.must(err)
		raw, err := set.AppendBinary(nil)
		w.must(err)
		v.Set = hex.EncodeToString(raw)
		first := v.Codes[0]
		last := "0"
		if strings.HasSuffix(first, "0") {
			last = "4"
		}
		v.Refused = []string{"", first[:len(first)-1] + last, first[1:], first + "0", first[:5] + "U" + first[6:], "123456"}
	}
	writeVectors(w, "recovery.json", list)
}

// writeTexts makes vectors of typed texts. The Guard must read them as they are meant.
func (w *vectorWorld) writeTexts() {
	record := w.records[2]
	now := record.Now.Add(time.Minute)
	app := record.code(w.t, now)
	var code string
	for _, token := range w.tokens {
		if token.Use == "setup" && token.Codes != nil {
			code = token.Codes[0]
		}
	}
	plain := strings.ReplaceAll(code, "-", "")
	var list []vectorText
	add := func(factor enrollment.Factor, name, text string) {
		v := vectorText{Name: name, Record: record.Name, Now: now, Text: text, Factor: factor}
		_, err := record.guard(w.t, record.Keys, record.Namespace, now).Verify(w.t.Context(), record.UserID, "typed", text)
		if factor == "" {
			v.Refused = proving.ReasonOf(err)
		}
		if (err == nil) != (factor != "") {
			w.t.Errorf("%s: %v", name, err)
		}
		list = append(list, v)
	}
	full := func(text string) string { // in full width
		return strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7f {
				return r + 0xfee0
			}
			return r
		}, text)
	}
	const isApp, isCode = enrollment.FactorTOTP, enrollment.FactorRecovery
	add(isApp, "digits", app)
	add(isApp, "in groups", app[:3]+" "+app[3:])
	add(isApp, "with a hyphen", app[:3]+"-"+app[3:])
	add(isApp, "a line break behind it", app+"\r\n")
	add(isApp, "digits in full width", full(app))
	add(isApp, "Arabic digits", strings.Map(func(r rune) rune { return r - '0' + '٠' }, app))
	add(isApp, "a space of no width in it", app[:3]+"\u200b"+app[3:])
	add(isApp, "a sentence", "Your code is "+app+".")
	add(isCode, "as it is printed", code)
	add(isCode, "small letters", strings.ToLower(code))
	add(isCode, "no hyphens", plain)
	add(isCode, "spaces for hyphens", strings.ReplaceAll(code, "-", " "))
	add(isCode, "letters that look like digits", strings.NewReplacer("0", "O", "1", "l").Replace(code))
	add(isCode, "six symbols in full width", plain[:20]+full(plain[20:]))
	add(isCode, "a line of the sheet", "1. "+code)
	add(isCode, "a line of the sheet with a box", "[ ] "+code)
	add(isCode, "long hyphens", strings.ReplaceAll(code, "-", "–"))
	add("", "nothing", "")
	add("", "five digits", app[:5])
	add("", "nine digits", app+"123")
	add("", "a letter among the digits", app[:5]+"x")
	add("", "another code", app[:5]+string('0'+(app[5]-'0'+5)%10))
	add("", "a symbol too few", plain[:25])
	add("", "a symbol too many", plain+"0")
	add("", "the letter U", "U"+plain[1:])
	add("", "two codes", app+" "+app)
	add("", "a long text", strings.Repeat(app, 200))
	writeVectors(w, "typed.json", list)
}

// writeURIs makes vectors of otpauth URIs.
func (w *vectorWorld) writeURIs() {
	raw := []byte("12345678901234567890")
	text := base32.StdEncoding.EncodeToString(raw)
	var list []vectorURI
	for _, v := range []vectorURI{
		{Name: "the usual", URI: "otpauth://totp/Acme:alice?secret=" + text + "&issuer=Acme"},
		{Name: "everything", URI: "otpauth://totp/ACME%20Co:john@example.com?secret=" + text + "&issuer=ACME%20Co&algorithm=SHA256&digits=8&period=60"},
		{Name: "SHA-512, seven digits", URI: "otpauth://totp/Acme:alice?secret=" + text + "&algorithm=sha512&digits=7"},
		{Name: "a name of Java", URI: "otpauth://totp/Acme:alice?secret=" + text + "&algorithm=HmacSHA1"},
		{Name: "small letters in groups", URI: "otpauth://totp/Acme:alice?secret=" + strings.ToLower(text[:16]) + "+" + strings.ToLower(text[16:])},
		{Name: "issuers differ", URI: "otpauth://totp/forge:alice?secret=" + text + "&issuer=Forge"},
		{Name: "no label", URI: "otpauth://totp/?secret=" + text},
		{Name: "a port in the account", URI: "otpauth://totp/Files%3Aguest%40files.example%3A12345?secret=" + text + "&issuer=Files"},
		{Name: "unknown parameters", URI: "otpauth://totp/Acme:alice?color=red&secret=" + text},
		{Name: "everything twice, equal", URI: "otpauth://totp/Acme:alice?digits=8&digits=8&secret=" + text + "&secret=" + text},
		{Name: "capitals", URI: "OTPAUTH://TOTP/Acme:alice?SECRET=" + text + "&ISSUER=Acme"},
	} {
		key, label, err := totp.ParseURI(v.URI)
		w.must(err)
		p := key.Params()
		v.Secret, v.Algorithm, v.Digits, v.Period = hex.EncodeToString(key.Secret().Reveal()), p.Algorithm.String(), p.Digits, int(p.Period/time.Second)
		v.Issuer, v.Account, v.At = label.Issuer, label.Account, 1111111109
		v.Code, err = key.Code(time.Unix(v.At, 0))
		w.must(err)
		list = append(list, v)
	}
	for why, uri := range map[string]string{
		"another scheme":         "https://totp/Acme:alice?secret=" + text,
		"a counter":              "otpauth://hotp/Acme:alice?secret=" + text + "&counter=1",
		"no secret":              "otpauth://totp/Acme:alice?issuer=Acme",
		"an empty secret":        "otpauth://totp/Acme:alice?secret=",
		"not base32":             "otpauth://totp/Acme:alice?secret=" + text[:31] + "1",
		"80 bits":                "otpauth://totp/Acme:alice?secret=" + text[:16],
		"129 bytes":              "otpauth://totp/Acme:alice?secret=" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(make([]byte, 129)),
		"an unknown algorithm":   "otpauth://totp/Acme:alice?secret=" + text + "&algorithm=MD5",
		"five digits":            "otpauth://totp/Acme:alice?secret=" + text + "&digits=5",
		"nine digits":            "otpauth://totp/Acme:alice?secret=" + text + "&digits=9",
		"digits that are none":   "otpauth://totp/Acme:alice?secret=" + text + "&digits=six",
		"nine seconds":           "otpauth://totp/Acme:alice?secret=" + text + "&period=9",
		"121 seconds":            "otpauth://totp/Acme:alice?secret=" + text + "&period=121",
		"a period of zero":       "otpauth://totp/Acme:alice?secret=" + text + "&period=0",
		"two different secrets":  "otpauth://totp/Acme:alice?secret=" + text + "&secret=" + text[16:] + "GEZDGNBVGY3TQOJR",
		"two numbers of digits":  "otpauth://totp/Acme:alice?secret=" + text + "&digits=6&digits=8",
		"another encoder":        "otpauth://totp/Acme:alice?encoder=steam&secret=" + text,
		"another epoch":          "otpauth://totp/Acme:alice?epoch=1&secret=" + text,
		"a secret in a fragment": "otpauth://totp/Acme:alice?issuer=Acme#secret=" + text,
		"more than 4,096 bytes":  "otpauth://totp/" + strings.Repeat("a", 4096) + "?secret=" + text,
	} {
		list = append(list, vectorURI{Name: why, URI: uri, Refused: why})
	}
	slices.SortStableFunc(list, func(a, b vectorURI) int { return strings.Compare(a.Refused, b.Refused) })
	writeVectors(w, "uris.json", list)
}
