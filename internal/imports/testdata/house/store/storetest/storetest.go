package storetest

import (
	_ "example.test/house/store"
	_ "testing"
)
