package main

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// As the documentation says to run it.
func TestCommand(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "run", "github.com/seed-1b6a03a1/twofactor/enrollment/keyring/newkey").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("there is no go command")
	}
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Parse(string(out))
	if err != nil || len(ring.IDs()) != 1 || ring.Reveal()+"\n" != string(out) {
		t.Errorf("%d bytes, %v, %v", len(out), ring, err)
	}
}

// A new key goes in front of an old one in the end, as the help says.
func TestRotation(t *testing.T) {
	t.Parallel()
	var older, newer, stderr bytes.Buffer
	if code := run(nil, &older, &stderr); code != 0 {
		t.Fatal(code, stderr.String())
	}
	if code := run(nil, &newer, &stderr); code != 0 {
		t.Fatal(code, stderr.String())
	}
	before, err := keyring.Parse(older.String())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := before.Seal(t.Context(), nil, nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := keyring.Parse(strings.TrimSpace(newer.String()) + "," + older.String())
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.Open(t.Context(), nil, nil, sealed); err != nil || string(plain) != "x" {
		t.Errorf("the old key does not open: %q, %v", plain, err)
	}
	if after.PrimaryID() == before.PrimaryID() {
		t.Error("two keys have one id")
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"-h"}, 0, help, ""},
		{[]string{"--help"}, 0, help, ""},
		{[]string{"mykey"}, 2, "", "newkey: it takes no arguments\n\n" + help},
		{[]string{"-id", "x"}, 2, "", "newkey: flag provided but not defined: -id\n\n" + help},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(c.args, &stdout, &stderr); code != c.code || stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("%q: exit code %d\nstdout %s\nstderr %s", c.args, code, &stdout, &stderr)
		}
	}
}

// A script must not take half a key for a key.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	if code := run(nil, full{}, &stderr); code != 1 || !strings.Contains(stderr.String(), "disk is full") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
