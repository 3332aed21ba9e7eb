package api

import _ "example.test/house/client" // want "client and server meet"
