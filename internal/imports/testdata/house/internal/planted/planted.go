package planted

import _ "example.test/house/internal/id" // want "support packages stay single"
