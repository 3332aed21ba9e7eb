package house

import (
	_ "context"                             // the vocabulary may name a context; only the pure rooms may not
	_ "example.test/house/alert"            // want "./alert: sinks follow the journal"
	_ "example.test/house/api"              // want "./api: HTTP is one door"
	_ "example.test/house/cmd/unwind/flags" // want "flags: flags and wiring are the roof"
	_ "example.test/house/config"           // want "./config: files are one way"
	_ "example.test/house/dashboard"        // want "./dashboard: a page shows"
	_ "example.test/house/engine"           // want "./engine: the engine is the shell"
	_ "example.test/house/internal/bench"   // want "./internal/bench: what is measured must not know"
	_ "example.test/house/internal/demo"    // want "./internal/demo: the demo is a guest"
	_ "example.test/house/internal/flow"    // want "./internal/flow: the machine orders calls"
	_ "example.test/house/internal/gateway" // want "./internal/gateway: downstream models"
	_ "example.test/house/internal/id"      // want "./internal/id: planted bugs and ids"
	_ "example.test/house/internal/imports" // want "./internal/imports: the reference platform"
	_ "example.test/house/internal/machine" // want "./internal/machine: the machine decides"
	_ "example.test/house/internal/node"    // want "./internal/node: a node joins"
	_ "example.test/house/internal/storm"   // want "./internal/storm: a storm judges the engine"
	_ "example.test/house/participant"      // want "./participant: a participant lives"
	_ "example.test/house/sagatest"         // want "./sagatest: what is judged"
	_ "example.test/house/store"            // want "./store: the interface and its rows"
	_ "example.test/house/store/memory"     // want "./store/memory: the store is an interface"
	_ "example.test/house/store/storetest"  // want "storetest: the conformance suite looks" "storetest: a conformance suite is run by tests"
	_ "modernc.org/sqlite"                  // want "standard library only" "a database driver belongs to its adapter"
)
