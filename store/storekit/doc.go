// Package storekit turns two short methods into a [store.Store]. It does what the
// contract asks of every store and what is the same for all: it refuses invalid
// arguments, keeps times in UTC to the microsecond, copies bytes, returns the
// context's error, checks what the database returned, and makes pages and cursors.
//
// What is left is the database's part, [Rows]: read a row, and write it under a
// condition. With [Scanner] and [Deleter] the result is also a [store.Lister] and a
// [store.Eraser]. [Finder] saves round trips of the Lister.
//
//	accounts := storekit.New("mystore", rows)
//
// The example of [New] has the four methods of Rows, Scanner and Deleter. Test yours with
// package storetest, on a real database. For Open of package enrollment, which asks for a
// Lister as well, say that there is one:
//
//	accounts := storekit.New("mystore", rows).(interface {
//		store.Store
//		store.Lister
//	})
//
// # Recipes
//
// Three more stores are in the folder internal/integration/recipes, to be copied: one by
// pgx without database/sql, one by GORM, and one for etcd, which is replicated. They are
// tested like the stores of the library.
//
// The following two are sketches. Nobody has run them: test yours with package storetest.
//
// DynamoDB, with user_id as the partition key:
//
//   - Get is GetItem with ConsistentRead. Without an item it returns store.ErrNotFound.
//   - Put is PutItem with the condition attribute_not_exists(user_id) if prev is 0, and
//     version = :prev otherwise. ConditionalCheckFailedException,
//     TransactionConflictException and ReplicatedWriteConflictException are
//     store.ErrConflict.
//   - Let the client send a PutItem once only. A second arrival of a write that was carried
//     out fails its condition, and looks like a conflict although the record has changed.
//   - Use one Region, or global tables with strong consistency. Those with eventual
//     consistency let a used code work again in another Region.
//   - A Scan is not in the order of the ids, so there is no Scanner without an index that
//     has all accounts in one partition.
//
// MongoDB, with the user id as _id and no collation:
//
//   - Get is FindOne on the primary with the read concern linearizable. With another one, a
//     primary that was cut off returns an old record. Set maxTimeMS: without a majority of
//     the servers, the read waits for ever.
//   - Put is InsertOne if prev is 0, and otherwise UpdateOne with the filter
//     {_id, version: prev}, with the write concern {w: "majority", j: true}. A duplicate key
//     (error 11000) and a MatchedCount of 0 are store.ErrConflict. An error about the write
//     concern is not a conflict, because the primary has the write. Return it as it is.
//   - The client may send a write again, as retryWrites says. The server knows it by a
//     number, and does it once.
//   - Scan is Find on the primary with {_id: {$gt: after}} and the read concern majority,
//     sorted by _id. Delete is DeleteOne with the write concern of Put.
package storekit
