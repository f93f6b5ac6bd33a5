package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// startHost builds the host and starts it as a process of its own.
func startHost(t *testing.T) (at string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a host")
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "host")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../hosts/echo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	host := exec.CommandContext(t.Context(), program, "-addr", "localhost:0", "-db", filepath.Join(folder, "host.db"))
	host.Env = append(os.Environ(), "TWOFACTOR_KEYS="+keys.Reveal())
	log, err := host.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Process.Kill(); _ = host.Wait() })
	lines := bufio.NewReader(log)
	line, err := lines.ReadString('\n')
	found := regexp.MustCompile(`http://\S+`).FindString(line)
	if found == "" {
		t.Fatalf("the host says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return found
}

// A person answers what the client asks. The answer "code 2" is what the app shows in two
// steps from now, "three 5" is that and the two that follow, and "wrong" is another.
type person struct {
	t       *testing.T
	at      string
	folder  string // the configuration
	secret  string // in the app
	answers []string
	out     bytes.Buffer
}

var (
	keyLine      = regexp.MustCompile(`with this key:\s+([A-Z2-7 ]+)`)
	recoveryCode = regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{2,4}){3,}`)
)

// Read is a line that the person types.
func (p *person) Read(b []byte) (int, error) {
	if len(p.answers) == 0 {
		return 0, io.EOF
	}
	if keys := keyLine.FindAllStringSubmatch(p.out.String(), -1); keys != nil {
		p.secret = strings.ReplaceAll(keys[len(keys)-1][1], " ", "")
	}
	answer, steps := p.answers[0], 0
	p.answers = p.answers[1:]
	if _, err := fmt.Sscanf(answer, "code %d", &steps); err == nil {
		answer = codes(p.t, p.secret, steps, 1)[0]
	} else if _, err := fmt.Sscanf(answer, "three %d", &steps); err == nil {
		answer = strings.Join(codes(p.t, p.secret, steps, 3), " ")
	} else if answer == "wrong" {
		answer = wrong(p.t, p.secret)
	}
	return copy(b, answer+"\n"), nil
}

// runs runs the client with answers to what it asks, and returns what it says.
func (p *person) runs(command string, answers ...string) (said string, err error) {
	p.t.Helper()
	p.out.Reset()
	p.answers = answers
	err = run(p.t.Context(), append([]string{"-at", p.at}, strings.Fields(command)...), p.folder, p, &p.out)
	if len(p.answers) > 0 {
		p.t.Errorf("%s did not ask for %q:\n%s", command, p.answers, &p.out)
	}
	return p.out.String(), err
}

// does is the same for what has to succeed and say that.
func (p *person) does(says, command string, answers ...string) string {
	p.t.Helper()
	said, err := p.runs(command, answers...)
	if err != nil || !strings.Contains(said, says) {
		p.t.Fatalf("%s: %v, and not %q:\n%s", command, err, says, said)
	}
	return said
}

// codes returns codes that oathtool makes, from some time steps from now on. One of the step
// before is right until the present step ends, so it is taken from one that has begun just now.
func codes(t *testing.T, secret string, steps, count int) []string {
	t.Helper()
	program, err := exec.LookPath("oathtool")
	if err != nil {
		testenv.Missing(t, "oathtool is not in PATH")
	}
	const period = 30 * time.Second
	if left := time.Until(time.Now().Truncate(period).Add(period)); steps == -1 && left < period/2 {
		time.Sleep(left)
	}
	at := time.Now().Add(time.Duration(steps) * period).UTC().Format("2006-01-02 15:04:05 UTC")
	out, err := exec.CommandContext(t.Context(), program, "--totp", "-b", secret, "-N", at, "-w", fmt.Sprint(count-1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// wrong returns a code that no app with the secret shows now.
func wrong(t *testing.T, secret string) string {
	right := strings.Join(codes(t, secret, -25, 60), " ")
	for i := 0; ; i++ {
		if code := fmt.Sprintf("%06d", i); !strings.Contains(right, code) {
			return code
		}
	}
}

// From the first day to a lost phone, with the real host. Codes of this time step and of
// the next are right, so nothing waits.
func TestClient(t *testing.T) {
	t.Parallel()
	p := &person{t: t, at: startHost(t), folder: filepath.Join(t.TempDir(), "new", "folder")}
	const password = "correct horse"
	if _, err := p.runs("status"); err == nil {
		t.Fatal("nobody is signed in")
	}
	p.does("Only the password protects", "sign-up carol", password)
	if _, err := p.runs("sign-up carol", password); err == nil || err.Error() != "That name is taken." {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(p.folder, "session.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if folder, err := os.Stat(p.folder); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", folder.Mode(), err)
	}
	p.does("Two-factor authentication is off.", "status")

	said := p.does("Two-factor authentication is on.", "enable", "12", "wrong", "code 0")
	for _, says := range []string{"▀", "That code is wrong.", "That is not a code."} {
		if !strings.Contains(said, says) {
			t.Errorf("enable does not say %q:\n%s", says, said)
		}
	}
	recovery := regexp.MustCompile(`(?m)^    ([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$`).FindAllStringSubmatch(said, -1)
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes:\n%s", len(recovery), said)
	}
	p.does("10 recovery codes are left.", "status")
	if said := p.does("Signed in.", "sign-in carol", password, "code 1"); strings.Contains(said, "Only the password") {
		t.Error(said)
	}
	p.does("Done something dangerous.", "danger", recovery[9][1])

	// The phone is not at hand.
	p.does("You have 8 left.", "sign-in carol", password, recovery[0][1])
	if said := p.does("Signed in.", "sign-in carol", password, recovery[0][1], recovery[1][1]); !strings.Contains(said, "You have already used that recovery code.") {
		t.Error(said)
	}

	// Somebody tries codes. The owner has the app.
	locked := time.Now()
	if said, err := p.runs("sign-in carol", password, "wrong", "wrong", "wrong", "wrong", "wrong", "code 2"); err == nil || !strings.Contains(said, "Wait 1 minute") {
		t.Errorf("%v:\n%s", err, said)
	}
	said = p.does("Wrong codes before that: 5", "sign-in carol", password, "three 4")
	if time.Since(locked) < time.Minute && !strings.Contains(said, "Enter three in a row") {
		t.Error(said)
	}

	said = p.does("Save these recovery codes.", "codes", recovery[2][1])
	if strings.Contains(said, recovery[3][1]) {
		t.Error("the recovery codes are the old ones")
	}
	p.does("", "disable", "no")
	fresh := recoveryCode.FindString(said)
	p.does("Two-factor authentication is off.", "disable", "yes", fresh)
	p.does("Two-factor authentication is off.", "status")
	p.does("", "sign-out")
	if _, err := p.runs("status"); err == nil || err.Error() != "Unauthorized" {
		t.Errorf("after sign-out: %v", err)
	}
	if _, err := p.runs("sign-in carol", "another password"); err == nil || err.Error() != "Wrong name or password." {
		t.Error(err)
	}
}
