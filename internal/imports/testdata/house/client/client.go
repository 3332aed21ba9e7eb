package client

import _ "example.test/house/engine" // want "it speaks HTTP and carries no engine"
