package main

import (
	"strings"
	"testing"
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

func TestThreeCodesAreRight(t *testing.T) {
	t.Parallel()
	if right, err := countRight(); right != appSteps || err != nil {
		t.Errorf("%d codes are right, %v; want %d", right, err, appSteps)
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
		"-recoveries -1", "-recoveries 366", "-years 0", "-years 101",
	} {
		if err := run(t.Context(), strings.Fields(args), new(strings.Builder)); err == nil {
			t.Errorf("%s is taken", args)
		}
	}
}
