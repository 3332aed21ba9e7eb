package sim

import _ "example.test/house/sagatest" // want "the harness is for users' sagas"
