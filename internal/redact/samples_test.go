package redact_test

import (
	"context"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What encoders make of a type.
type encoding int

const (
	refused encoding = iota // they fail
	nothing                 // they find nothing to encode in it
	travels                 // they encode its text, which it is for
)

// A sample is a value that holds secrets.
type sample struct {
	name     string // of its type, with the path of the package
	encoding encoding
	canaries []canary // its secrets

	value, zero any
	forms       map[string]any // the value as hosts have it, in ways that fmt treats differently
	fields      map[string]any // the value where encoders look for it
}

// host is a struct of a program that uses the module.
type host[T any] struct {
	Exported   T
	unexported T
	pointer    *T
	list       []T
	array      [1]T
	table      map[string]T
	any        any
	deep       struct{ deeper struct{ deepest *T } }
}

type exported[T any] struct{ V T }

type attribute[T any] struct {
	V T `xml:"v,attr"`
}

type embedding[T any] struct{ inner[T] }

type inner[T any] struct{ v T }

func newSample[T any](v T, e encoding, secrets ...string) sample {
	h := host[T]{v, v, &v, []T{v}, [1]T{v}, map[string]T{"key": v}, v, struct{ deeper struct{ deepest *T } }{}}
	h.deep.deeper.deepest = &v
	typ := reflect.TypeFor[T]()
	canaries := make([]canary, len(secrets))
	for i, secret := range secrets {
		canaries[i] = newCanary(secret)
	}
	return sample{
		name:     typ.PkgPath() + "." + typ.Name(),
		encoding: e,
		canaries: canaries,
		value:    v,
		zero:     *new(T),
		forms: map[string]any{
			"value": v, "pointer": &v, "slice": []T{v}, "pointers": []*T{&v}, "array": [1]T{v}, "map": map[string]T{"key": v},
			"host": h, "host pointer": &h, "hosts": []host[T]{h}, "embedded": embedding[T]{inner[T]{v}},
			"reflect": reflect.ValueOf(v), "reflect unexported": reflect.ValueOf(h).Field(1),
		},
		fields: map[string]any{
			"value": v, "pointer": &v, "slice": []T{v}, "field": exported[T]{v}, "pointer field": exported[*T]{&v},
			"list": exported[[]T]{[]T{v}}, "any": exported[any]{v}, "attribute": attribute[T]{v}, "host": h,
		},
	}
}

// raw are the bytes of secrets.
const raw = "kanarienvogel-zZ9!~+"

// samples returns a sample of every type that holds a secret.
func samples(t *testing.T) []sample {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	secret, err := totp.NewSecret([]byte(raw))
	ok(err)
	key, err := totp.NewKey(secret, totp.Params{})
	ok(err)
	ofKey := []string{raw, secret.Base32(), secret.Grouped()}
	list := []sample{newSample(secret, refused, ofKey...), newSample(key, refused, ofKey...)}

	symbol, err := qr.New("canary canary canary")
	ok(err)
	list = append(list, newSample(*symbol, refused, "canary", "true", "false", "█"))

	root := "\x80\x81\x82 root key of 32 bytes \x90\x91\x92\x93\x94\x95\x96"
	rootText := base64.RawURLEncoding.EncodeToString([]byte(root))
	named, err := keyring.NewKey("2026a", []byte(root))
	ok(err)
	ring, err := keyring.New(named)
	ok(err)
	list = append(list, newSample(named, refused, root, rootText), newSample(*ring, refused, root, rootText))

	list = append(list, ofRecovery(t, ok)...)
	return append(list, ofEnrollment(t, ok)...)
}

// ofRecovery returns the samples of package recovery.
func ofRecovery(t *testing.T, ok func(error)) []sample {
	t.Helper()
	codes, err := recovery.Generate(nil, 4, recovery.Fast)
	ok(err)
	packed, err := codes.AppendRevealed(nil)
	ok(err)
	code, err := recovery.ParseCode(codes.Reveal()[0])
	ok(err)
	derivation, err := recovery.NewDerivation(nil, recovery.Fast)
	ok(err)
	set, err := derivation.DeriveAll(t.Context(), codes)
	ok(err)
	digest, err := derivation.Derive(code)
	ok(err)
	stored, err := set.AppendBinary(nil)
	ok(err)
	salt, sum := string(stored[8:24]), string(stored[25:57])
	clear := append(ofCodes(codes), string(packed[2:]))
	return []sample{
		newSample(code, refused, ofCodes(codes)[:2]...),
		newSample(codes, refused, clear...),
		newSample(derivation, refused, salt),
		newSample(digest, refused, sum, salt),
		newSample(set, refused, append(clear, salt, sum)...),
	}
}

// ofCodes returns the codes, with and without their hyphens.
func ofCodes(codes recovery.Codes) (texts []string) {
	for _, text := range codes.Reveal() {
		texts = append(texts, text, strings.ReplaceAll(text, "-", ""))
	}
	return texts
}

// keep is a sender that keeps the last message.
type keep struct{ last enrollment.Message }

func (k *keep) Send(_ context.Context, m enrollment.Message) error {
	k.last = m
	return nil
}

// ofEnrollment returns the samples of package enrollment, as a Guard returns
// them, and of the kit for tests.
func ofEnrollment(t *testing.T, ok func(error)) []sample {
	t.Helper()
	const user = "alice"
	sender := new(keep)
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.CodesAtSetup, c.ReplenishCodes, c.Sender = true, true, sender
	})
	ctx, g := t.Context(), kit.Guard
	setup, err := g.Begin(ctx, user, enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")})
	ok(err)
	app, err := enrollmenttest.Scan(setup.URI())
	ok(err)
	code := func() string {
		kit.Clock.Advance(app.Period())
		return app.Code(kit.Clock.Now())
	}
	done, err := g.Confirm(ctx, user, setup.Token, code())
	ok(err)
	codes := done.Codes
	success, err := g.Verify(ctx, user, "x", codes.Reveal()[0])
	ok(err)
	export, err := g.Admin("root", "x").Export(ctx, user)
	ok(err)
	bind := enrollment.BindOptions{Channel: "sms", To: "+43 1 555 0142", Proof: enrollment.ByCode(code())}
	_, err = g.Messages().Bind(ctx, user, bind)
	ok(err)
	renewed, err := g.RenewCodes(ctx, user, enrollment.ByCode(code()))
	ok(err)

	key, _, err := totp.ParseURI(setup.URI())
	ok(err)
	ofKey := []string{string(key.Secret().Reveal()), key.Secret().Base32(), key.Secret().Grouped(), setup.URI()}
	ofSetup := append(ofCodes(codes), ofKey...)
	proof := enrollment.ByCode("kanarienvogel")
	imported, hash := enrollment.ImportedAuthenticator{Key: key}, enrollment.RecoveryHashOf([]byte(raw))
	return append(ofTokens(), []sample{
		newSample(setup, refused, ofSetup...),
		newSample(done, refused, ofSetup...),
		newSample(success, refused, success.NewCode.Reveal(), strings.ReplaceAll(success.NewCode.Reveal(), "-", "")),
		newSample(renewed, refused, ofCodes(renewed.Codes)...),
		newSample(export, refused, ofKey...),
		newSample(export.Reveal()[0], refused, ofKey...),
		newSample(imported, refused, ofKey...),
		newSample(hash, refused, raw),
		newSample(enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{imported}, RecoveryHashes: []enrollment.RecoveryHash{hash}}, refused, append(ofKey, raw)...),
		newSample(sender.last, refused, sender.last.Code()),
		newSample(proof, refused, "kanarienvogel"),
		newSample(enrollment.BeginOptions{Proof: proof}, refused, "kanarienvogel"),
		newSample(enrollment.BindOptions{Proof: proof}, refused, "kanarienvogel"),
		newSample(*app, nothing, ofKey...),
		newSample(web.Page{Setup: setup, Codes: codes}, refused, ofSetup...),
	}...)
}

// ofTokens returns the samples of what travels in package enrollment.
func ofTokens() []sample {
	const text = "kanarienvogel-in-einem-käfig"
	challenge, receipt, setup := enrollment.ChallengeOf(text), enrollment.ReceiptOf(text), enrollment.SetupTokenOf(text)
	device, ticket, renewal := enrollment.DeviceTokenOf(text), enrollment.TicketOf(text), enrollment.RenewalTokenOf(text)
	enroll := enrollment.EnrollTokenOf(text)
	return []sample{
		newSample(challenge, travels, text),
		newSample(receipt, travels, text),
		newSample(setup, travels, text),
		newSample(device, travels, text),
		newSample(ticket, travels, text),
		newSample(renewal, travels, text),
		newSample(enroll, travels, text),
		newSample(enrollment.ByEnrollToken(enroll, "browser"), refused, text),
		newSample(enrollment.Decision{Next: enrollment.MustEnroll, EnrollToken: enroll}, travels, text),
		newSample(enrollment.SignInOptions{Device: device}, travels, text),
		newSample(enrollment.Decision{Next: enrollment.AskCode, Challenge: challenge}, travels, text),
		newSample(enrollment.TrustedDevice{Token: device}, travels, text),
		newSample(enrollment.Binding{Token: setup}, travels, text),
		newSample(enrollment.Delivery{Challenge: challenge}, travels, text),
		newSample(enrollment.Success{Receipt: receipt}, travels, text),
		newSample(enrollment.Replacement{EnrollToken: enroll}, travels, text),
		newSample(enrollment.Denied{Replace: &enrollment.Replacement{EnrollToken: enroll}}, travels, text),
		newSample(enrollment.Confirmed{Success: enrollment.Success{Receipt: receipt}}, travels, text),
	}
}
