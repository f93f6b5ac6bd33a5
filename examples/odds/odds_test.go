package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The formula bounds what the Guard evaluates, and is not far above it.
func TestFormulaAgreesWithGuard(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scenario{
		"one app":                 {Authenticators: 1, Digits: 6, Years: 1},
		"two apps":                {Authenticators: 2, Digits: 6, Years: 1},
		"three apps":              {Authenticators: 3, Digits: 6, Years: 1},
		"eight digits":            {Authenticators: 1, Digits: 8, Years: 1},
		"three years":             {Authenticators: 1, Digits: 6, Years: 3},
		"recoveries":              {Authenticators: 1, Digits: 6, Years: 1, Recoveries: 6},
		"three apps, recoveries":  {Authenticators: 3, Digits: 6, Years: 2, Recoveries: 4},
		"messages":                {Authenticators: 1, Digits: 6, Years: 1, Messages: true},
		"a message a day":         {Authenticators: 1, Digits: 6, Years: 1, Messages: true, Daily: 1},
		"ten messages a day":      {Authenticators: 1, Digits: 6, Years: 1, Messages: true, Daily: 10},
		"no step ahead":           {Authenticators: 1, Digits: 6, Years: 1, Window: totp.LookBehind},
		"the current step":        {Authenticators: 2, Digits: 6, Years: 1, Window: totp.LookAtCurrent},
		"messages and recoveries": {Authenticators: 2, Digits: 7, Years: 1, Messages: true, Recoveries: 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := simulate(t.Context(), s, 1)
			if err != nil {
				t.Fatal(err)
			}
			app, message := s.bound()
			for _, x := range []struct {
				what  string
				got   int
				bound float64
			}{{"app", found.App, app}, {"message", found.Message, message}} {
				if got := float64(x.got); got > x.bound || got < 0.95*x.bound {
					t.Errorf("%d codes of an %s were evaluated, and the formula says %.1f", x.got, x.what, x.bound)
				}
			}
		})
	}
}

// This is the figure of the threat model: about 0.1 % in a year.
func TestOneAppForAYear(t *testing.T) {
	t.Parallel()
	s := scenario{Authenticators: 1, Digits: 6, Years: 1}
	found, err := simulate(t.Context(), s, 2)
	if err != nil {
		t.Fatal(err)
	}
	if chance := s.chance(float64(found.App), 0); found != (finding{App: 395}) || chance < 0.0011 || chance > 0.0012 {
		t.Errorf("%+v and a chance of %v, want 395 codes and 0.0012", found, chance)
	}
}

// The owner gets in by three codes on every day of a year, and the guesser gains no
// guess by it.
func TestOwnerGetsInEveryDay(t *testing.T) {
	t.Parallel()
	for _, s := range []scenario{
		{Authenticators: 1, Digits: 6, Years: 1},
		{Authenticators: 2, Digits: 6, Years: 1},
		{Authenticators: 3, Digits: 8, Years: 1, Messages: true},
	} {
		t.Run(fmt.Sprint(s.Authenticators), func(t *testing.T) {
			t.Parallel()
			found, err := simulateOwner(t.Context(), s, 1)
			if err != nil {
				t.Fatal(err)
			}
			start, back, _ := s.units()
			bound := float64(start+back) / float64(s.Authenticators)
			if found.In != 365 || found.Locked < 150 || found.Tries != 3650 || float64(found.App) > bound || float64(found.App) < 0.95*bound {
				t.Errorf("%+v, want 365 days and at most %.0f guesses", found, bound)
			}
		})
	}
}

// These are the figures of the threat model for three codes.
func TestThreeCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	triples, err := countPlaces()
	if err != nil || triples != places {
		t.Errorf("%d triples are right, %v; want %d", triples, err, places)
	}
	s := scenario{Authenticators: 1, Digits: 6, Years: 1}
	if p := s.perThree(); p < 4e-17 || p > 4.2e-17 {
		t.Errorf("one try is right with a chance of %v", p)
	}
	if p := s.perThreeTimed(); p > 1e-15 {
		t.Errorf("one try that is timed is right with a chance of %v", p)
	}
	if p := s.threeChance(); p < 1e-6 || p > 1e-4/3 {
		t.Errorf("a year of tries is right with a chance of %v", p)
	}
}

func TestThreeCodesAreRight(t *testing.T) {
	t.Parallel()
	for w, want := range map[totp.Window]int{totp.LookBothWays: 3, totp.LookBehind: 2, totp.LookAhead: 2, totp.LookAtCurrent: 1} {
		if right, err := countRight(w); right != want || right != w.Steps() || err != nil {
			t.Errorf("window %d: %d codes are right, %v; want %d", w, right, err, want)
		}
	}
}

// These are the figures at Config.Window: each step that is left out is worth a third.
func TestEachStepIsAThird(t *testing.T) {
	t.Parallel()
	for w, want := range map[totp.Window]float64{totp.LookBothWays: 0.0012, totp.LookBehind: 0.0008, totp.LookAhead: 0.0008, totp.LookAtCurrent: 0.0004} {
		s := scenario{Authenticators: 1, Digits: 6, Years: 1, Window: w}
		app, _ := s.bound()
		if chance := s.chance(app, 0); chance > want || chance < 0.95*want {
			t.Errorf("window %d: a chance of %v, want about %v", w, chance, want)
		}
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"-authenticators", "2", "-messages", "-recoveries", "1"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Apps: 2, with codes of 6 digits. Codes in messages: yes", "2 units, 1 for each app",
		"62 units before app codes are disabled, 365 come back, 1 a day, and recoveries forgive 41",
		"234 guesses. Each is right with a chance of 6 in 1000000", "400 guesses, each 1 in 1000000",
		"at most 0.18 %", "takes 3 at a moment",
		"let the owner in on 365 of 365 days", "chance of 82 in 10^18: 8e-17", "it takes 41 triples at a moment",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"-authenticators 0", "-authenticators 4", "-digits 5", "-digits 9",
		"-daily 11", "-daily -1", "-window wide", "-recoveries -1", "-recoveries 366", "-years 0", "-years 101",
	} {
		if err := run(t.Context(), strings.Fields(args), new(strings.Builder)); err == nil {
			t.Errorf("%s is taken", args)
		}
	}
}
