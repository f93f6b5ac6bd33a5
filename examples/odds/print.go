package main

import (
	"io"
	"math"
	"text/template"
)

var page = template.Must(template.New("").Funcs(template.FuncMap{
	"percent": func(chance float64) float64 { return 100 * chance },
	"oneIn":   func(chance float64) float64 { return math.Round(1 / chance) },
}).Parse(`
Apps: {{.Authenticators}}, with codes of {{.Digits}} digits. Codes in messages: {{if .Messages}}yes{{else}}no{{end}}. Time steps: {{.Window.Steps}}.
Recovery codes that the owner uses in a year: {{.Recoveries}}. Years: {{.Years}}.
The guesser knows the password, and tries codes as fast as the throttling allows.

By formula
  Each wrong app code costs {{if eq .Authenticators 1}}1 unit{{else}}{{.Authenticators}} units, 1 for each app{{end}}.
  There are {{.Start}} units{{if gt .Authenticators 1}} before app codes are disabled{{end}}, {{.Back}} come back, 1 a day, and recoveries forgive {{.Forgiven}}.
  That pays for {{printf "%.0f" .AppBound}} guesses. Each is right with a chance of {{.Right}} in {{printf "%.0f" .Codes}}.
{{- if .Messages}}
  Codes in messages have a budget of their own: {{printf "%.0f" .MessageBound}} guesses, each 1 in 1000000.
{{- end}}
  The chance is at most {{printf "%.3g" (percent .Bound)}} %, or 1 in {{printf "%.0f" (oneIn .Bound)}}.

By simulation, with the real Guard and a clock that is moved
  It evaluated {{.Found.App}} guesses at app codes{{if .Messages}} and {{.Found.Message}} at codes in messages{{end}}. It refused to look at all others.
  The chance is {{printf "%.3g" (percent .Chance)}} %, or 1 in {{printf "%.0f" (oneIn .Chance)}}.

  Every guess in the simulation is wrong on purpose. Waiting for one that is right
  would take hundreds of runs for a single hit, so the run counts how many codes are
  evaluated, and the chance follows from that number. The owner signs in whenever a
  lock ends, just before the guesser: nothing helps a guesser more.

An owner who comes once a day, in another simulation
  Three consecutive codes let the owner in on {{.Owner.In}} of {{.Days}} days. On {{.Owner.Locked}} of them, app codes were
  locked or disabled then. The guesser had {{.Owner.App}} guesses at app codes, which is no more
  than without the owner: {{printf "%.0f" .DailyBound}} by formula.
  All {{.Owner.Tries}} tries of the guesser at three codes were refused. One of them is right with a
  chance of {{.Places}} in 10^{{.ThreeDigits}}: {{printf "%.1g" .PerThree}}. If the time of the answer tells that two of
  the three were right, it is {{printf "%.1g" .PerThreeTimed}}. At {{.TriesASecond}} a second without a pause, that makes
  {{printf "%.2g" (percent .ThreeChance)}} %.

Check of a single guess
  Of all 1000000 codes of 6 digits, one app's key takes {{.Counted}} at a moment, never more than {{.Window.Steps}}.
  Of the codes that it shows one after the other, it takes {{.Triples}} triples at a moment.
`))

// print writes what came out, in words.
func (s scenario) print(out io.Writer, found finding, owner presence, counted, triples int) error {
	start, back, forgiven := s.units()
	app, message := s.bound()
	return page.Execute(out, struct {
		scenario
		Start, Back, Forgiven, Right, Counted        int
		AppBound, MessageBound, Codes, Bound, Chance float64
		Found                                        finding

		Owner                                presence
		Days, Places, ThreeDigits, Triples   int
		TriesASecond                         int
		DailyBound                           float64
		PerThree, PerThreeTimed, ThreeChance float64
	}{
		scenario: s,
		Start:    start, Back: back, Forgiven: forgiven, Right: s.Window.Steps() * s.Authenticators, Counted: counted,
		AppBound: app, MessageBound: message, Codes: math.Pow10(s.Digits),
		Bound: s.chance(app, message), Chance: s.chance(float64(found.App), float64(found.Message)),
		Found: found,

		Owner: owner,
		Days:  days * s.Years, Places: places * s.Authenticators, ThreeDigits: 3 * s.Digits, Triples: triples,
		TriesASecond: triesASecond,
		DailyBound:   float64(start+back) / float64(s.Authenticators),
		PerThree:     s.perThree(), PerThreeTimed: s.perThreeTimed(), ThreeChance: s.threeChance(),
	})
}
