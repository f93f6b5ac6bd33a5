package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// An api is the host as this program sees it.
type api struct {
	at      string
	http    http.Client
	session string                   // the bearer token
	receipt string                   // that a code was right
	started func(token string) error // keeps a new token
}

// object is a body.
type object map[string]any

// A denial is an answer that says no: what the host says to the user, and why.
type denial struct {
	Status int    `json:"-"`
	Reason string `json:"reason"`
	Text   string `json:"text"`

	// With the reason "must_replace": what leads to the setup of another app.
	EnrollToken string `json:"enroll_token"`
	Replace     string `json:"replace"`

	// Message is what echo says itself.
	Message string `json:"message"`
}

func (d *denial) Error() string {
	switch {
	case d.Text != "":
		return printable(d.Text)
	case d.Message != "":
		return printable(d.Message)
	default:
		return fmt.Sprintf("the host answers with status %d", d.Status)
	}
}

func newAPI(at string) (*api, error) {
	at = strings.TrimSuffix(at, "/")
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("-at is not an address such as https://example.com")
	}
	if u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
		return nil, errors.New("-at needs https: passwords and codes would travel in clear")
	}
	return &api{at: at, http: http.Client{
		Timeout: 30 * time.Second,
		// What is sent is for this host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// maxAnswer is the size of the largest answer that is read.
const maxAnswer = 1 << 20

// send sends a request and reads the answer into out. A session in the answer is kept,
// and is that of the requests that follow. It returns a *denial if the host says no, and a
// *url.Error if the answer is lost.
func (a *api) send(ctx context.Context, method, path string, in object, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.at+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if language, _, ok := strings.Cut(os.Getenv("LANG"), "_"); ok {
		r.Header.Set("Accept-Language", language)
	}
	if a.session != "" {
		r.Header.Set("Authorization", "Bearer "+a.session)
	}
	if a.receipt != "" {
		r.Header.Set("Twofactor-Receipt", a.receipt)
	}
	response, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &url.Error{Op: method, URL: path, Err: err}
	}
	if response.StatusCode != http.StatusOK {
		d := &denial{Status: response.StatusCode}
		_ = json.Unmarshal(text, d) // or there is nothing to tell
		return d
	}
	var with struct{ Session string }
	if err := errors.Join(json.Unmarshal(text, &with), json.Unmarshal(text, out)); err != nil {
		return fmt.Errorf("the answer of the host: %w", err)
	}
	if with.Session != "" {
		a.session = with.Session
		return a.started(with.Session)
	}
	return nil
}

func (a *api) post(ctx context.Context, path string, in object, out any) error {
	return a.send(ctx, http.MethodPost, path, in, out)
}

func (a *api) get(ctx context.Context, path string, out any) error {
	return a.send(ctx, http.MethodGet, path, nil, out)
}

// is reports whether the host said no for one of these reasons.
func is(err error, reasons ...string) bool {
	var d *denial
	if errors.As(err, &d) {
		for _, reason := range reasons {
			if d.Reason == reason {
				return true
			}
		}
	}
	return false
}
