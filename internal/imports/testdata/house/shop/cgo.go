package shop

import "C" // want "without a C compiler"
