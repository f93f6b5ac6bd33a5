package web

import (
	"crypto/sha256"
	"encoding/hex"
)

// Two accounts can be open in two tabs of one browser. The cookies belong to the one that
// signed in last, and a form of the other tab would act for it: a code of one account
// would be a wrong guess at the other. So each form has the mark of the account that its
// page is about, and does nothing to another one.

// markOf returns the mark of a user. It is no secret and proves nothing: it only tells
// two accounts apart.
func markOf(userID string) string {
	sum := sha256.Sum256([]byte(userID))
	return hex.EncodeToString(sum[:8])
}

// isOf reports whether the form is about this user. A form without a mark is one of the
// application, and about the user who is signed in. JSON has no mark either: a program names
// its session in each request.
func (c *call) isOf(userID string) bool { return c.in.Mark == "" || c.in.Mark == markOf(userID) }

// takes reports whether the form is about this user, and answers the request if not.
func (c *call) takes(userID string) bool {
	if !c.isOf(userID) {
		c.redirect(c.at("/sign-in", "with", otherAccount, "return", localPath(c.in.Return)))
		return false
	}
	return true
}

// takesWaiting is the same for the user whose sign-in waits for a code, or, if another tab
// has ended it, for the user who is signed in.
func (c *call) takesWaiting() bool {
	if c.in.Mark == "" {
		return true
	}
	if signIn := c.waiting(); !signIn.challenge.IsZero() {
		return c.takes(signIn.user)
	}
	user, err := c.who()
	return err != nil || user == "" || c.takes(user) // without a challenge, nothing can be done
}

// showOtherAccount says that nothing was done, and why.
func (c *call) showOtherAccount() {
	c.show(Page{
		Name: "sign-in", Title: c.text("signin.again_button"), Problem: c.text("problem.other_account"),
		Return: localPath(c.in.Return),
	})
}
