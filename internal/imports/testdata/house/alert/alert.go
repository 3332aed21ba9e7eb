package alert

import _ "example.test/house/relay" // want "alerts go out when the relay is broken"
