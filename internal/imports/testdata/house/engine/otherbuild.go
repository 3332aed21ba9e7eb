//go:build nobody_sets_this

package engine

import _ "example.test/house/store/storetest" // want "a conformance suite is run by tests"
