// Package imports is the import gate: it holds the packages of this repository
// to the house they are built in.
//
// The tests of this package read the tree with go list and fail when a package
// imports one it may not, when a package stands in no room of the house, and
// when a package that must decide without clock, chance, goroutine or map order
// uses one of them. house_test.go is the table to read, and the one place to
// change when a room is added. The module in testdata/house breaks every rule
// once and so proves that each can turn the gate red.
package imports
