package engine

import _ "example.test/house/store/storetest" // tests may look from outside
