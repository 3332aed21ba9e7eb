package memory

import (
	_ "example.test/house/store"
	_ "example.test/house/store/sqlite" // want "an adapter is swapped or deleted"
)
