package gateway

import _ "example.test/house/sim" // want "only tests and the command run the simulator"
