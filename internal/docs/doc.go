// Package docs holds tests of the documents. It is part of the root module so that
// the go command runs a test again when a document has changed.
package docs
