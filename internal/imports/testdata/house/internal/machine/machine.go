package machine

import (
	_ "context"                           // want "a decision does not wait"
	_ "example.test/house/internal/alarm" // want "who hears of something is decided"
	_ "example.test/house/internal/flow"  // want "./internal/flow: the machine orders calls"
	_ "example.test/house/internal/id"    // want "making an id takes"
	_ "example.test/house/internal/planted"
	_ "github.com/tidwall/gjson"
	_ "github.com/urfave/cli/v3" // want "a decision made again years later" "flags are wiring"
	_ "math/rand/v2"             // want "chance comes in as an argument"
	_ "os/exec"                  // want "files, sockets, processes"
	_ "reflect"                  // want "reflection shows map order"
	_ "sync"                     // want "one caller, no goroutine"
)
