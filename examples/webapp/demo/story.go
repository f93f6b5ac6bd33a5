package demo

import (
	_ "embed" // for the stories
	"encoding/json"
)

// A Story shows what one product does. It begins with users of its own, and the switches
// as that product has them.
type Story struct {
	Name, Title string
	Issuer      string   // the name of the service
	Switches    []string // the names of those that are on
	Mandatory   bool     // a second factor is
	Enrolled    bool     // the user has one already
	Steps       []string
}

//go:embed stories.json
var stories []byte

// Stories are all of them.
var Stories = func() (list []*Story) {
	if err := json.Unmarshal(stories, &list); err != nil {
		panic(err) // the file is part of the program
	}
	return list
}()
