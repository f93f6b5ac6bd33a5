package formats_test

// A second implementation of what testdata/vectors/README.md describes. It uses the
// standard library alone, so it shows that the description is enough.

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

var errSecond = errors.New("refused")

// secondParts puts the length of each text before it, in four bytes.
func secondParts(texts ...string) []byte {
	var b []byte
	for _, text := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	return b
}

// secondKeys reads keys as id:secret, separated by commas.
func secondKeys(text string) map[string][]byte {
	keys := make(map[string][]byte)
	for part := range strings.SplitSeq(text, ",") {
		id, coded, _ := strings.Cut(part, ":")
		keys[id], _ = base64.RawURLEncoding.DecodeString(coded)
	}
	return keys
}

// secondOpen opens what was sealed for a scope and a binding.
func secondOpen(keys map[string][]byte, scope, binding, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != 1 || len(sealed) < 2+int(sealed[1])+4+12+16 {
		return nil, errSecond
	}
	end := 2 + int(sealed[1])
	root, ok := keys[string(sealed[2:end])]
	if !ok {
		return nil, errSecond
	}
	derive := func(use byte, data []byte) []byte {
		mac := hmac.New(sha256.New, root)
		mac.Write(append([]byte{use}, data...))
		return mac.Sum(nil)
	}
	if header := end + 4; bytes.Equal(sealed[end:header], derive(2, nil)[:4]) {
		block, err := aes.NewCipher(derive(1, scope))
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block) // the nonce is what it opens begins with
		if err != nil {
			return nil, err
		}
		additional := binary.BigEndian.AppendUint32(bytes.Clone(sealed[:header]), uint32(len(binding)))
		plain, err := aead.Open(nil, nil, sealed[header:], append(additional, binding...))
		if err == nil {
			return plain, nil
		}
	}
	return nil, errSecond
}

// secondRecord opens a stored record. State is its name.
func secondRecord(keys map[string][]byte, namespace, userID string, version int64, state string, data []byte) ([]byte, error) {
	mark := sha256.Sum256(secondParts("twofactor namespace v1", namespace))
	sealed, ok := bytes.CutSuffix(data, mark[:4])
	if !ok {
		return nil, errSecond
	}
	number := binary.BigEndian.AppendUint64(nil, uint64(version))
	scope := secondParts("twofactor record v1", namespace, userID)
	return secondOpen(keys, scope, append(scope[:len(scope):len(scope)], secondParts(string(number), state)...), sealed)
}

// secondToken opens a token of a use such as "challenge".
func secondToken(keys map[string][]byte, namespace, use, text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(text) > 2048 || len(raw) < 16 {
		return nil, errSecond
	}
	label := "twofactor " + use + " v1"
	return secondOpen(keys, secondParts(label, namespace, string(raw[:16])), secondParts(label, namespace), raw[16:])
}

// secondDeviceHash is what an account keeps of the token of a device.
func secondDeviceHash(namespace, userID, token string) string {
	return fmt.Sprintf("%x", sha256.Sum256(secondParts("twofactor device v1", namespace, userID, token)))
}

// secondFields splits fields: a tag, a length of two bytes, a value.
func secondFields(b []byte) (map[int][]byte, error) {
	fields, last := make(map[int][]byte), -1
	for len(b) > 0 {
		if len(b) < 3 || int(b[0]) <= last || len(b) < 3+int(binary.BigEndian.Uint16(b[1:])) {
			return nil, errSecond
		}
		last = int(b[0])
		end := 3 + int(binary.BigEndian.Uint16(b[1:]))
		fields[last], b = b[3:end], b[end:]
	}
	return fields, nil
}

// secondList splits a list: a length of two bytes, an item.
func secondList(b []byte) (items [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
			return nil, errSecond
		}
		end := 2 + int(binary.BigEndian.Uint16(b))
		items, b = append(items, b[2:end]), b[end:]
	}
	return items, nil
}

// secondTime reads microseconds since 1970; 0 or nothing is no time.
func secondTime(b []byte) string {
	if len(b) != 8 || binary.BigEndian.Uint64(b) == 0 {
		return ""
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC().Format(time.RFC3339Nano)
}

// A secondAccount is the main part of an account, as records.json has it.
type secondAccount struct {
	Epoch          string                `json:"epoch"`
	WasConfirmed   bool                  `json:"was_confirmed,omitempty"`
	Authenticators []secondAuthenticator `json:"authenticators,omitempty"`
	LastUsed       int64                 `json:"last_used,omitempty"`
	Failures       int                   `json:"failures,omitempty"`
	Setup          *secondSetup          `json:"setup,omitempty"`
	Codes          *secondCodes          `json:"codes,omitempty"`
	Imported       []string              `json:"imported,omitempty"`
	Devices        []secondDevice        `json:"devices,omitempty"`
	History        []int                 `json:"history,omitempty"`
}

type secondAuthenticator struct {
	ID        string `json:"id"`
	Algorithm int    `json:"algorithm"`
	Digits    int    `json:"digits"`
	Period    int    `json:"period"`
	Secret    string `json:"secret"`
	Name      string `json:"name"`
	Added     string `json:"added,omitempty"`
	Last      int64  `json:"last,omitempty"`
	Hardware  bool   `json:"hardware,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
}

type secondSetup struct {
	ID            string              `json:"id"`
	Expires       string              `json:"expires"`
	Issuer        string              `json:"issuer"`
	Account       string              `json:"account"`
	Authenticator secondAuthenticator `json:"authenticator"`
}

type secondCodes struct {
	Scheme  int      `json:"scheme"`
	Salt    string   `json:"salt"`
	Digests []string `json:"digests"`
	Used    int      `json:"used"`
}

type secondDevice struct {
	Hash string `json:"hash"`
	Name string `json:"name"`
}

// secondDecode reads an account.
func secondDecode(b []byte) (a secondAccount, err error) {
	if len(b) == 0 || b[0] != 1 {
		return a, errSecond
	}
	fields, err := secondFields(b[1:])
	if err != nil {
		return a, err
	}
	a.Epoch = hex.EncodeToString(fields[1])
	_, a.WasConfirmed = fields[2]
	if throttle := fields[3]; len(throttle) == 18 {
		a.Failures = int(binary.BigEndian.Uint16(throttle))
	}
	lists := make(map[int][][]byte)
	for _, tag := range []int{5, 12, 16, 17} {
		if lists[tag], err = secondList(fields[tag]); err != nil {
			return a, err
		}
	}
	for _, item := range lists[5] {
		x, err := secondReadAuthenticator(item)
		if err != nil {
			return a, err
		}
		a.Authenticators = append(a.Authenticators, x)
	}
	if setup, ok := fields[8]; ok {
		if a.Setup, err = secondReadSetup(setup); err != nil {
			return a, err
		}
	}
	if used := fields[9]; len(used) == 8 {
		a.LastUsed = int64(binary.BigEndian.Uint64(used))
	}
	if set, ok := fields[11]; ok {
		if a.Codes, err = secondReadCodes(set); err != nil {
			return a, err
		}
	}
	for _, item := range lists[12] {
		event, err := secondFields(item)
		if err != nil || len(event[2]) != 1 {
			return a, errSecond
		}
		a.History = append(a.History, int(event[2][0]))
	}
	for _, item := range lists[16] {
		if len(item) < 9 {
			return a, errSecond
		}
		a.Imported = append(a.Imported, hex.EncodeToString(item[9:]))
	}
	for _, item := range lists[17] {
		device, err := secondFields(item)
		if err != nil {
			return a, err
		}
		a.Devices = append(a.Devices, secondDevice{hex.EncodeToString(device[2]), string(device[3])})
	}
	return a, nil
}

func secondReadAuthenticator(b []byte) (x secondAuthenticator, err error) {
	fields, err := secondFields(b)
	if err != nil || len(fields[2]) < 4 {
		return x, errSecond
	}
	key := fields[2]
	x = secondAuthenticator{
		ID: hex.EncodeToString(fields[1]), Algorithm: int(key[0]), Digits: int(key[1]), Period: int(key[2]),
		Secret: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key[3:]),
		Name:   string(fields[3]), Added: secondTime(fields[4]),
	}
	if last := fields[6]; len(last) == 8 {
		x.Last = int64(binary.BigEndian.Uint64(last))
	}
	_, x.Hardware = fields[9]
	if offset, ok := fields[10]; ok {
		if len(offset) != 8 {
			return x, errSecond
		}
		x.Offset = int64(binary.BigEndian.Uint64(offset))
	}
	if most := int64(600 / x.Period); x.Offset != 0 && !x.Hardware || x.Offset < -most || x.Offset > most {
		return x, errSecond
	}
	return x, nil
}

// secondCode returns the code of an authenticator at a time by its own clock, and steps
// later (RFC 4226, section 5.3).
func (x secondAuthenticator) secondCode(at time.Time, steps int64) string {
	hashes := []func() hash.Hash{sha1.New, sha256.New, sha512.New}
	secret, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(x.Secret)
	mac := hmac.New(hashes[x.Algorithm], secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/int64(x.Period)+x.Offset+steps)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	digits := fmt.Sprintf("%010d", number)
	return digits[len(digits)-x.Digits:]
}

func secondReadSetup(b []byte) (*secondSetup, error) {
	fields, err := secondFields(b)
	if err != nil {
		return nil, err
	}
	x, err := secondReadAuthenticator(fields[7])
	return &secondSetup{hex.EncodeToString(fields[1]), secondTime(fields[2]), string(fields[4]), string(fields[5]), x}, err
}

func secondReadCodes(b []byte) (*secondCodes, error) {
	if len(b) < 25 || b[0] != 1 || len(b) != 25+40*int(b[24]) {
		return nil, errSecond
	}
	codes := &secondCodes{Scheme: int(b[1]), Salt: hex.EncodeToString(b[8:24])}
	for b = b[25:]; len(b) > 0; b = b[40:] {
		codes.Digests = append(codes.Digests, hex.EncodeToString(b[:32]))
		if binary.BigEndian.Uint64(b[32:]) != 0 {
			codes.Used++
		}
	}
	return codes, nil
}

// secondCodesOf returns the codes of a seed, and what they are derived for.
func secondCodesOf(seed []byte, namespace, use, userID string, id []byte, scheme string, count int) (codes []string, err error) {
	info := secondParts("twofactor codes v1", namespace, "twofactor "+use+" v1", userID, string(id), scheme, strconv.Itoa(count))
	random, err := hkdf.Expand(sha256.New, seed, string(info), 32*17)
	if err != nil {
		return nil, err
	}
	return secondCodesFrom(random, scheme, count), nil
}

// secondNewCode returns the code that replaces a used one.
func secondNewCode(seed []byte, namespace, userID string, id []byte, scheme, used string) (string, error) {
	info := secondParts("twofactor codes v1", namespace, "twofactor challenge v1", userID, string(id), scheme, used)
	random, err := hkdf.Expand(sha256.New, seed, string(info), 17)
	if err != nil {
		return "", err
	}
	return secondCodesFrom(random, scheme, 1)[0], nil
}

// secondCodesFrom writes random bytes as codes.
func secondCodesFrom(random []byte, scheme string, count int) (codes []string) {
	crockford := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
	size, symbols := 10, 16
	if scheme == "fast" {
		size, symbols = 17, 26
	}
	for i := range count {
		text := crockford.EncodeToString(random[i*size : (i+1)*size])[:symbols]
		var groups []string
		for len(text) > 0 {
			n := min(4, len(text))
			groups, text = append(groups, text[:n]), text[n:]
		}
		codes = append(codes, strings.Join(groups, "-"))
	}
	return codes
}

// secondFastDigest is what a set of the scheme "fast" keeps of a code.
func secondFastDigest(salt []byte, code string) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("twofactor recovery v1 fast\x00" + strings.ReplaceAll(code, "-", "")))
	return fmt.Sprintf("%x", mac.Sum(nil))
}

// secondPayload reads what a token says.
func secondPayload(use string, b []byte) (payload map[string]string, err error) {
	payload = make(map[string]string)
	take := func(name string, n int) {
		if len(b) < n {
			err, b, n = errSecond, nil, 0
		}
		payload[name], b = hex.EncodeToString(b[:n]), b[n:]
	}
	at := func(name string) {
		if take(name, 8); err == nil {
			raw, _ := hex.DecodeString(payload[name])
			payload[name] = secondTime(raw)
		}
	}
	text := func(name string) {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			err, b = errSecond, nil
			return
		}
		payload[name], b = string(b[1:1+int(b[0])]), b[1+int(b[0]):]
	}
	switch use {
	case "challenge":
		take("id", 16)
		take("epoch", 16)
		at("issued")
		at("expires")
		text("user_id")
		text("purpose")
		text("channel")
		if err == nil && len(b) > 0 { // for a message, or what follows
			take("message", 16)
		}
		if err == nil && len(b) > 0 { // for a browser, or what follows
			text("browser")
		}
		if err == nil && len(b) > 0 { // it replaces a used recovery code
			take("seed", 32)
		}
	case "receipt":
		take("epoch", 16)
		at("at")
		take("factor", 1)
		text("user_id")
		text("purpose")
	case "setup", "address":
		take("id", 16)
		at("expires")
		text("user_id")
		take("seed", 32)
		if err == nil && len(b) > 0 { // it completes a sign-in
			at("signed_in")
			text("purpose")
		}
	case "renewal":
		take("id", 16)
		at("expires")
		take("epoch", 16)
		text("user_id")
		take("seed", 32)
	case "enroll":
		take("epoch", 16)
		at("at")
		take("flags", 1)
		text("user_id")
		text("purpose")
		text("browser")
	default:
		return nil, errSecond
	}
	if err == nil && len(b) > 0 {
		err = errSecond
	}
	return payload, err
}
