package shop

import (
	_ "example.test/house/bench"            // want "each is thrown away or replaced alone"
	_ "example.test/house/internal/gateway" // want "the reference platform shows what users can do"
)
