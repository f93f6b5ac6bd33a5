package account

import (
	"golang.org/x/crypto/cryptobyte"
)

// maxID bounds a user id that an account names, in bytes.
const maxID = 255

// A MoveID is what the records of one move to another user id have in common.
type MoveID [16]byte

// MoveStage is how far a move has come, by what the record of one of its two
// user ids says. The number is stored.
type MoveStage uint8

// The stages. A record of any of them refuses everything that a user does.
const (
	Settled MoveStage = iota // no move: the account is here
	Claimed                  // nothing is here yet, and the account of Other comes here
	Leaving                  // the account is here, and goes to Other
	Gone                     // the account was here, and is at Other
)

// A Move is what a record says of a move.
type Move struct {
	Stage MoveStage
	ID    MoveID
	Other string // the other user id
}

// An arrival is what an account remembers of the move that brought it here. The
// record that it came from may hold it still.
type arrival struct {
	id   MoveID
	from string
}

// Move returns what the record says of a move; the zero Move if the account is
// simply here.
func (a *Account) Move() Move { return a.move }

// Arrival returns the move that brought the account here, and where it came from;
// the zero MoveID if none did.
func (a *Account) Arrival() (id MoveID, from string) { return a.arrived.id, a.arrived.from }

// Claim makes a record without an account refuse everything until the account of
// the other user id is here.
func (a *Account) Claim(m Moment, id MoveID, from string) {
	*a = Account{epoch: m.epoch(), move: Move{Stage: Claimed, ID: id, Other: from}, changed: true}
}

// Withdraw takes a claim back, for which no account comes any more.
func (a *Account) Withdraw(m Moment) { *a = Account{epoch: m.epoch(), changed: true} }

// Depart makes the account refuse everything, because it goes to the other user
// id. What was handed out under this one is void.
func (a *Account) Depart(m Moment, id MoveID, to string) {
	a.rotateEpoch(m)
	a.forgotten = false // EventMoved says it, once the account has arrived
	a.move = Move{Stage: Leaving, ID: id, Other: to}
	a.changed = true
}

// Arrive puts the account that has departed in the place of the claim: with its
// marks, codes, budgets, counts, requests and history. Trust in devices has ended,
// since their hashes name the user. So does the hash of a ticket: one is still
// demanded, and has to be issued anew.
func (a *Account) Arrive(m Moment, from *Account, by Admin) error {
	claim := a.move
	*a = *from
	a.move, a.arrived = Move{}, arrival{id: claim.ID, from: claim.Other}
	if a.ticket != (TicketHash{}) {
		a.ticket = voidTicket
	}
	a.rotateEpoch(m)
	return a.record(m, by.event(EventMoved))
}

// Vacate leaves nothing of an account that has arrived but where it is.
func (a *Account) Vacate(m Moment) {
	move := a.move
	move.Stage = Gone
	*a = Account{epoch: m.epoch(), move: move, arrived: a.arrived, changed: true}
}

// voidTicket is the hash of no ticket that anybody could find.
var voidTicket = TicketHash{1}

func appendMove(b []byte, x Move) []byte {
	b = append(append(b, byte(x.Stage)), x.ID[:]...)
	return append(b, x.Other...)
}

func readMove(in cryptobyte.String) (x Move, err error) {
	if !in.ReadUint8((*uint8)(&x.Stage)) || x.Stage < Claimed || x.Stage > Gone {
		return x, ErrDamaged
	}
	x.ID, x.Other, err = readMoveEnd(in)
	return x, err
}

// readMoveEnd reads what identifies a move, and the other user id.
func readMoveEnd(in cryptobyte.String) (id MoveID, other string, err error) {
	if !in.CopyBytes(id[:]) || in.Empty() || len(in) > maxID || id == (MoveID{}) {
		return id, "", ErrDamaged
	}
	return id, string(in), nil
}
