package store

import _ "example.test/house/internal/planted"
