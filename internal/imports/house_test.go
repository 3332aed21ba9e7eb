package imports

// Rooms are named as the go command names packages, seen from the root of the
// repository: "." is the root package, "./engine" that package alone,
// "./engine/..." that package and all below it. A name without the leading dot
// is an import path of somebody else: "context", "math/rand/...". The word
// thirdParty stands for everything outside this module and the standard library.

// A floor holds the rooms that stand side by side on one line of the house.
type floor struct {
	rooms []string
	below string // why no room further up may import a room of this floor
	apart string // why the rooms of this floor may not import one another
}

// house is the order of the floors, ground floor first. A package may import
// its own room and the rooms of floors above it in this list, nothing else.
var house = []floor{{
	rooms: []string{"."},
}, {
	rooms: []string{"./participant/..."},
	below: "a participant lives in the service being called; the vocabulary does not depend on who answers",
}, {
	rooms: []string{"./internal/planted/...", "./internal/id/..."},
	below: "planted bugs and ids serve the engine; what users and their services compile in must not carry them",
	apart: "support packages stay single: each can be read and deleted alone",
}, {
	rooms: []string{"./store"},
	below: "the interface and its rows stand on the vocabulary alone, so that any adapter can be written against them",
}, {
	rooms: []string{"./internal/machine/..."},
	below: "the machine decides about sagas; nothing beneath it needs that decision",
}, {
	rooms: []string{"./internal/alarm/..."},
	below: "who hears of something is decided from what happened; what happens does not depend on it",
}, {
	rooms: []string{"./internal/flow/..."},
	below: "the machine orders calls and does not know when flow control lets them go",
}, {
	rooms: []string{"./internal/node/..."},
	below: "a node joins machine and flow; neither may know that it is being driven",
}, {
	rooms: []string{"./store/memory/...", "./store/sqlite/...", "./store/postgres/..."},
	below: "the store is an interface; naming one adapter beneath it would end the choice of another",
	apart: "an adapter is swapped or deleted without touching the others; what two of them share belongs into store",
}, {
	rooms: []string{"./store/storetest/..."},
	below: "the conformance suite looks at stores from outside",
}, {
	rooms: []string{"./engine/..."},
	below: "the engine is the shell: what it drives must run without it, in the simulator above all",
}, {
	rooms: []string{"./config/..."},
	below: "files are one way to get values; what runs on the values does not know that they came from YAML",
}, {
	rooms: []string{"./alert/...", "./relay/..."},
	below: "sinks follow the journal; the engine finishes its work whether or not anybody listens",
	apart: "alerts go out when the relay is broken, and the other way round",
}, {
	rooms: []string{"./api/...", "./client/..."},
	below: "HTTP is one door to the Service interface; what stands behind the door does not know it",
	apart: "client and server meet at the Service interface of the root package and at the wire, not in code",
}, {
	rooms: []string{"./dashboard/..."},
	below: "a page shows what the service says; no service needs a page",
}, {
	rooms: []string{"./sagatest/..."},
	below: "what is judged must not know its judge",
}, {
	rooms: []string{"./sim/..."},
	below: "what is simulated must not know that it is; the harness is for users' sagas and needs no simulator",
}, {
	rooms: []string{"./internal/gateway/..."},
	below: "downstream models play somebody else's service; nothing that ships may lean on them",
}, {
	rooms: []string{"./internal/demo/..."},
	below: "the demo is a guest: everything works without it",
}, {
	rooms: []string{"./internal/bench/..."},
	below: "what is measured must not know that it is: a path of its own for measurements would be what they measure",
}, {
	rooms: []string{"./internal/storm/..."},
	below: "a storm judges the engine by what services counted; what is judged must not know it",
}, {
	rooms: []string{"./cmd/unwind/..."},
	below: "flags and wiring are the roof; what others need from here belongs into a room further up",
}, {
	rooms: []string{"./shop/...", "./bench/...", "./internal/imports/..."},
	below: "the reference platform, the comparisons and this gate are users of the house; the house does not use them",
	apart: "each is thrown away or replaced alone",
}}

// A ban forbids imports that the order of the floors would allow.
type ban struct {
	from   []string
	except []string // rooms inside from that may import it after all
	to     []string
	allow  []string // imports inside to that are allowed after all
	why    string
}

const thirdParty = "third-party"

// pure rooms decide; they neither look at the world nor act on it. The import
// bans below and the rules in pure_test.go hold them to that.
var pure = []string{"./internal/machine/...", "./internal/flow/...", "./internal/alarm/...", "./internal/node/..."}

// scanned are the rooms whose source the rules in pure_test.go read: the pure
// ones, and the root package because they call it.
var scanned = append([]string{"."}, pure...)

var everything = []string{"./..."}

var bans = []ban{{
	from: []string{".", "./participant/..."},
	to:   []string{thirdParty},
	why:  "users compile this into their own services: standard library only",
}, {
	from: pure,
	to:   []string{thirdParty},
	// Payloads are passed on byte by byte. encoding/json would copy them and
	// turn their numbers into float64; gjson reads values where they lie.
	allow: []string{"github.com/tidwall/gjson"},
	why:   "a decision made again years later must come out the same, so the core does not change with somebody's release",
}, {
	from: pure,
	to:   []string{"context"},
	why:  "a decision does not wait, so there is nothing to cancel; deadlines are values in the state",
}, {
	from: pure,
	to:   []string{"math/rand/...", "crypto/rand", "hash/maphash"},
	why:  "chance comes in as an argument, or a seed could not replay a schedule",
}, {
	// A node names sagas by their ids; it is given them and makes none.
	from:   pure,
	except: []string{"./internal/node/..."},
	to:     []string{"./internal/id/..."},
	why:    "making an id takes a clock and chance",
}, {
	from: pure,
	to: []string{
		"os/...", "io/fs", "io/ioutil", "net/...", "syscall/...", "plugin", "embed", "testing/...",
		"database/sql/...", "log/...", "expvar", "path/filepath",
	},
	why: "files, sockets, processes and logs are the world; a pure package returns effects and lets the shell carry them out",
}, {
	from: pure,
	to:   []string{"sync/...", "runtime/...", "unique", "weak"},
	why:  "one caller, no goroutine, no garbage collector to watch: a lock here would hide that somebody shares the state",
}, {
	from: pure,
	to:   []string{"reflect", "unsafe"},
	why:  "reflection shows map order and unsafe shows addresses; both differ from run to run",
}, {
	from:   everything,
	except: []string{"./internal/planted/...", "./internal/machine/...", "./internal/flow/...", "./internal/node/...", "./store/...", "./engine/...", "./sim/..."},
	to:     []string{"./internal/planted/..."},
	why:    "a planted bug sits where the simulator can find it; anywhere else it is a switch that nobody watches",
}, {
	from:   everything,
	except: []string{"./store/storetest/..."},
	to:     []string{"./store/storetest/..."},
	why:    "a conformance suite is run by tests; imported from anything else it would ship",
}, {
	from:   everything,
	except: []string{"./sim/...", "./cmd/unwind/..."},
	to:     []string{"./sim/..."},
	why:    "only tests and the command run the simulator; code that knows it is simulated proves nothing",
}, {
	from:   everything,
	except: []string{"./store/storetest/...", "./sim/...", "./sagatest/..."},
	to:     []string{"testing/..."},
	why:    "test machinery stays in tests and in the packages made for them",
}, {
	from:   everything,
	except: []string{"./store/sqlite/...", "./internal/demo/...", "./shop/...", "./bench/..."},
	to:     []string{"modernc.org/sqlite/...", "zombiezen.com/go/sqlite/..."},
	why:    "a database driver belongs to its adapter: swapping the store must touch nothing else",
}, {
	from:   everything,
	except: []string{"./store/postgres/...", "./internal/demo/...", "./shop/...", "./bench/..."},
	to:     []string{"github.com/jackc/pgx/v5/..."},
	why:    "a database driver belongs to its adapter: swapping the store must touch nothing else (PostgreSQL)",
}, {
	from: []string{"./client/..."},
	to:   []string{"./engine/...", "./store/...", "./internal/machine/...", "./internal/flow/...", "./internal/alarm/...", "./internal/node/..."},
	why:  "users link the client into their services: it speaks HTTP and carries no engine",
}, {
	from:   everything,
	except: []string{"./cmd/unwind/...", "./shop/...", "./bench/..."},
	to:     []string{"github.com/urfave/cli/v3/..."},
	why:    "flags are wiring: packages take values, the command reads flags",
}, {
	from:   everything,
	except: []string{"./cmd/unwind/...", "./shop/...", "./bench/..."},
	to:     []string{"go.opentelemetry.io/otel/exporters/..."},
	why:    "where traces go is the choice of the binary; a library that picks an exporter picks it for all its users",
}, {
	from: []string{"./shop/..."},
	to:   []string{"./internal/..."},
	why:  "the reference platform shows what users can do, so it uses what users can import; the shared path prefix would let it cheat",
}, {
	from: everything,
	to:   []string{"C"},
	why:  "the binary is built and cross-compiled without a C compiler",
}}
