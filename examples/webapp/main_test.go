package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// TestRun starts the program as main does, and stops it as a signal does.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	data := filepath.Join(t.TempDir(), "new", "folder")
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-data", data}, in, io.Discard)
	}()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^listening on (http://127\.0\.0\.1:[1-9][0-9]*)\n$`).FindSubmatch(line[:n])
	if m == nil {
		t.Fatalf("says %q", line[:n])
	}
	response, err := http.Get(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v %v", info, err)
	}
}

// TestBusyPort starts the program while another one has its port.
func TestBusyPort(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	data := filepath.Join(t.TempDir(), "data")
	err = run(t.Context(), []string{"-addr", other.Addr().String(), "-data", data}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("the error is %v, want it to name -addr", err)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has left a folder behind: %v", err)
	}
}

// TestWrongKeys starts the program with the key file of another installation.
func TestWrongKeys(t *testing.T) {
	t.Parallel()
	c := config{Config: enrollment.Config{Issuer: "Acme", Now: time.Now, Logger: slog.New(slog.DiscardHandler)}, data: t.TempDir(), cost: bcrypt.MinCost}
	a, err := open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("test")}); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	other, err := keyring.Generate("other")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.data, "twofactor.key"), []byte(other.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), c); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Errorf("open = %v, want ErrUnknownKey", err)
	}
}

// With a certificate, the program serves HTTPS itself, and browsers remember that.
func TestTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for kind, content := range map[string][]byte{"CERTIFICATE": cert, "PRIVATE KEY": key} {
		if err := os.WriteFile(filepath.Join(folder, kind), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-data", filepath.Join(folder, "data"),
			"-cert", filepath.Join(folder, "CERTIFICATE"), "-key", filepath.Join(folder, "PRIVATE KEY")}, in, io.Discard)
	}()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: known}}}
	response, err := client.Get(strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "listening on ")))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"an unknown flag": {"-nonsense"},
		"an argument":     {"serve"},
		"an address":      {"-data", t.TempDir(), "-addr", "nowhere"},
		"a folder":        {"-data", "/dev/null/folder"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}
