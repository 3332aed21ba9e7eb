//go:build nobody_sets_this

package engine

import _ "example.test/house/store/storetest" // tests may, under every build
