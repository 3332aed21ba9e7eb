// Package planted holds the switches of bugs that tests plant on purpose, to
// prove that the checker, the simulator and the property tests can fail.
//
// In an ordinary build [On] is the constant false, so that no planted bug exists
// in the binary. With the build tag "planted" a test may turn one on.
package planted

// A Bug is one planted bug.
type Bug string
