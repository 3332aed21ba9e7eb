package sagatest

import _ "example.test/house/sim" // want "what is simulated must not know" "only tests and the command run the simulator"
