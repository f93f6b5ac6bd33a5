// Package keyring is the default Sealer of package enrollment. It encrypts what
// goes into the database and what is handed to clients, under keys that the
// database does not hold.
//
// A [Ring] holds one or more named keys of 32 bytes. The first key is the
// primary: it seals. Every key opens what it sealed. Make a key once with
//
//	go run github.com/seed-1b6a03a1/twofactor/enrollment/keyring/newkey
//
// or with [Generate] and [Ring.Reveal]. Keep the text with the application's other
// secrets, apart from the database and its backups, and read it with [Parse] when the
// program starts. Anyone who has both the text and the database has the shared secrets
// of all users. If the text is lost, no user can pass the second step again, so keep a
// backup of it. Open of package enrollment tells at the start of a program whether the
// keys fit the stored accounts.
//
// # Rotation
//
// Deploy a new key in two steps. First deploy the ring with the new key at the
// end, so that every node can open what the new key seals. Then deploy it with
// the new key in front. If there is only one process, put it in front at once,
// as [Ring.Rotate] does. Each write seals under the primary key, so an account
// moves to it when it is used. Directory.Reseal of package enrollment moves the
// other accounts.
//
// [Ring.Drop] removes an old key. Drop a key one day after no account is sealed
// under it any more, when the tokens that it sealed have expired. Keep its text
// as long as any backup of the database in which accounts are under it.
//
// Reseal counts the accounts of each key. A query can count them too: sealed
// bytes begin with a format byte and the length of the key's id, and then the
// id follows in clear. Ask the database itself and not a replica that lags
// behind: an account that the replica does not have yet would be lost with the
// key.
//
// # Construction
//
// A scope says what the bytes are for and whose they are. Each scope has a key
// of its own, HMAC-SHA-256(root key, 0x01 || scope). The bytes are sealed with
// AES-256-GCM and a random nonce (NIST SP 800-38D, section 8.2.2). One key may
// seal 2^32 messages with random nonces. Since every user has a key, that is
// 2^32 writes of one account. The additional data binds the format, the id of
// the key, its check value, and the caller's binding.
//
// The check value tells a wrong key from damaged bytes. It is the first four
// bytes of HMAC-SHA-256(root key, 0x02) and stored in clear beside the id. It
// does not help to find the key: keys have 256 random bits, and four bytes of a
// pseudorandom function say nothing about its key or its other outputs. It
// protects nothing either: whatever it says, only the right key opens the bytes.
//
// Package keyring imports nothing of the library but an internal helper.
package keyring
