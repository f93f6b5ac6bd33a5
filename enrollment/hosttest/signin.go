package hosttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// errStore is what the database says while it is down.
var errStore = errors.New("hosttest: the database is down")

// signInCases try to sign in as alice, whose password the attacker has.
var signInCases = []testCase{
	{
		name: "password-alone",
		duty: "There is no session before Answer succeeds: after AskCode, keep the challenge and nothing that signs in.",
		check: func(s *stage) error {
			b := s.at(s.alice)
			s.host.SignIn(b)
			if s.isIn(b, s.alice) {
				return fmt.Errorf("the password alone signs in (%s)", b.story())
			}
			for _, path := range s.host.Protected {
				if page := b.clone().Get(path); page.target == path && page.Status < 300 {
					return fmt.Errorf("the password alone opens %s", path)
				}
			}
			if err := s.leftBehind(b); err != nil {
				return err
			}
			m, err := s.signedIn(s.mallory)
			if err != nil {
				return err
			}
			m.User = s.alice.User
			s.host.SignIn(m)
			if s.isIn(m, s.alice) {
				return fmt.Errorf("where another user is signed in, the password alone signs in (%s)", m.story())
			}
			before, err := s.state(s.alice)
			if err != nil {
				return err
			}
			for _, c := range s.host.changes() {
				c.do(b.clone(), "")
				if after, err := s.state(s.alice); err != nil || after != before {
					return errors.Join(err, fmt.Errorf("%s works with the password alone", c.name))
				}
			}
			return nil
		},
	},
	{
		name: "wrong-code",
		duty: "Start a session only if Answer returns no error.",
		check: func(s *stage) error {
			for _, code := range []string{s.wrong(s.alice), "", "0", "no code", "000000000000"} {
				b, in, err := s.signsIn(s.alice, code)
				if err != nil {
					return err
				}
				if in {
					return fmt.Errorf("the code %q signs in, which is wrong (%s)", code, b.story())
				}
			}
			return nil
		},
	},
	{
		name: "database-down",
		duty: "An error that is no *Denied is a fault: answer with status 500 and grant nothing. It says nothing about the code.",
		check: func(s *stage) error {
			b := s.at(s.alice)
			s.lab.breakStore(errStore)
			s.host.SignIn(b)
			s.lab.breakStore(nil)
			if s.isIn(b, s.alice) {
				return fmt.Errorf("while SignIn of the Guard fails, the password alone signs in (%s)", b.story())
			}
			if err := s.endedWhileDown(); err != nil {
				return err
			}
			if err := s.memberWhileDown(); err != nil {
				return err
			}
			var answers [2]int
			for i, code := range []string{s.wrong(s.alice), s.code(s.alice)} {
				b, err := s.halfway(s.alice)
				if err != nil {
					return err
				}
				s.lab.breakStore(errStore)
				s.host.SendCode(b, code)
				s.lab.breakStore(nil)
				if s.isIn(b, s.alice) {
					return fmt.Errorf("while Answer of the Guard fails, a code signs in that was not checked (%s)", b.story())
				}
				answers[i] = b.page.Status
			}
			if answers[0] != answers[1] {
				return fmt.Errorf("while the Guard fails, a wrong code gets the status %d and a right one %d", answers[0], answers[1])
			}
			return nil
		},
	},
	{
		name: "used-code",
		duty: "Treat every *Denied as a no, also ReasonReplayed.",
		check: func(s *stage) error {
			for _, code := range []string{s.code(s.alice), s.alice.codes[0]} {
				if _, _, err := s.signsIn(s.alice, code); err != nil {
					return err
				}
				b, in, err := s.signsIn(s.alice, code)
				if err != nil {
					return err
				}
				if in {
					return fmt.Errorf("a code of %d symbols signs in one browser and then another (%s)", len(code), b.story())
				}
			}
			return nil
		},
	},
	{
		name: "parallel",
		duty: "One Success starts one session. Do not share the answer of the Guard between requests.",
		check: func(s *stage) error {
			const browsers = 8
			for _, shared := range []bool{true, false} {
				var all []*Browser
				for len(all) < browsers {
					if shared && len(all) > 0 {
						all = append(all, all[0].clone())
						continue
					}
					b, err := s.halfway(s.alice)
					if err != nil {
						return err
					}
					all = append(all, b)
				}
				idle := all[0].clone()
				code := s.code(s.alice)
				var wait sync.WaitGroup
				start := make(chan struct{})
				for _, b := range all {
					wait.Go(func() {
						<-start
						s.host.SendCode(b, code)
					})
				}
				close(start)
				wait.Wait()
				if s.isIn(idle, s.alice) {
					return errCopied
				}
				in := 0
				for _, b := range all {
					if s.isIn(b, s.alice) {
						in++
					}
				}
				if in > 1 {
					return fmt.Errorf("%d requests with the same code at the same time sign in %d browsers", browsers, in)
				}
			}
			return nil
		},
	},
	{
		name: "wrong-codes-count",
		duty: "Call the Guard outside your own transactions. A rollback would undo the count of a wrong code.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice)
			if err != nil {
				return err
			}
			for range wrongCodes {
				s.host.SendCode(b.clone(), s.wrong(s.alice))
			}
			s.host.SendCode(b, s.code(s.alice))
			if s.isIn(b, s.alice) {
				return fmt.Errorf("after %d wrong codes a right one signs in: they were not counted (%s)", wrongCodes, b.story())
			}
			return nil
		},
	},
	{
		name: "hang-up",
		duty: "Call the Guard outside your own transactions. A rollback would let a code work twice.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice)
			if err != nil {
				return err
			}
			ctx, hangUp := context.WithCancel(context.Background())
			defer hangUp()
			b.ctx = ctx
			s.lab.onSave(func(userID string) {
				if userID == s.alice.ID {
					hangUp()
				}
			})
			code := s.code(s.alice)
			s.host.SendCode(b, code)
			s.lab.onSave(nil)
			if _, err := s.guard.Verify(context.Background(), s.alice.ID, "hosttest", code); err == nil {
				return fmt.Errorf("a browser sends a code and hangs up while it is stored, and then the same code is right again (%s)", b.story())
			}
			return nil
		},
	},
}

// leftBehind tries some of the cookies of a browser in which alice has entered the
// password. One can be meant for later, such as "remember me".
func (s *stage) leftBehind(b *Browser) error {
	for name := range b.jar {
		alone, without := b.clone(), b.clone()
		alone.jar = jar{name: b.jar[name]}
		delete(without.jar, name)
		for _, x := range []*Browser{alone, without} {
			if s.isIn(x, s.alice) {
				return fmt.Errorf("the password alone leaves a cookie that signs in by itself (%s)", b.story())
			}
		}
	}
	return nil
}

// wrongCodes is how many wrong codes in a row lock app codes.
const wrongCodes = 5
