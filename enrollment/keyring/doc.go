// Package keyring is the default Sealer of package enrollment: it encrypts
// what reaches the database and what is handed to clients, under keys that the
// database does not hold.
//
// A [Ring] holds one or more named keys of 32 bytes. The first one, the
// primary, seals; each of them opens what it sealed. [Generate] makes one and
// [Ring.Format] writes it out, once; keep that text where the host keeps its
// other secrets, apart from the database and its backups, and read it with
// [Parse] at each start. Whoever has both the text and the database has every
// user's shared secret. Whoever loses the text locks every user out of the
// second step.
//
// # Rotation
//
// [Ring.Rotate] makes a fresh key and puts it in front. Where several nodes run,
// deploy the text of the new ring in two steps: first with the new key moved to
// the end, so that every node can open what it seals, and then as it is. Every
// write seals under the primary, so accounts move to it as they are used, and
// Directory.Reseal of package enrollment moves the others.
//
// [Ring.Drop] takes an old key out, when no account is sealed under it any more
// and no token either, which takes a day. Reseal counts the accounts of each
// key. A query can do that, too: the id of the key stands in clear in what is
// stored, behind two bytes (the format, the length of the id). Neither must be
// asked of a replica that lags behind: what it does not have yet is lost with
// the key. Keep the old text until you are sure.
//
// # Construction
//
// For each scope, which is what the bytes are for and whose they are, a key is
// derived as HMAC-SHA-256(root key, scope). The bytes are sealed with
// AES-256-GCM under a random nonce (NIST SP 800-38D, section 8.2.2). As every
// user has a derived key of their own, the 2^32 messages that a random nonce
// allows for one key are 2^32 writes of one account. The additional data binds
// the format, the id of the key, and what the caller wants bound.
//
// This package imports nothing of the library but an internal helper.
package keyring
