package testenv

// Replaced is replaced, for its test.
var Replaced = replaced
