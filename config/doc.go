// Package config turns a YAML or JSON file into values, and finds every fault
// of the file in one run: each with its line and column, what is wrong, and
// what would be right.
//
// # Order
//
// An environment variable goes before the file, the file before the default:
//
//	UNWIND_LISTEN                    listen
//	UNWIND_STORE                     store
//	UNWIND_RETENTION                 retention
//	UNWIND_KEY_RETENTION             key_retention
//	UNWIND_COMPENSATION_RATE         compensation.rate
//	UNWIND_COMPENSATION_CONCURRENCY  compensation.concurrency
//	UNWIND_MAX_ACTIVE                limits.max_active
//	UNWIND_MAX_STARTS                limits.max_starts
//	UNWIND_MAX_BODY_BYTES            limits.max_body_bytes
//	UNWIND_MAX_ACTIVE_BYTES          limits.max_active_bytes
//
// An empty variable counts as not set.
//
// # Secrets
//
// A secret is written as env:NAME or file:PATH, never as itself; a relative
// PATH starts at the folder of the configuration file. A [Secret] shows where
// it came from and never what it is.
//
// # YAML
//
// Files have at most 1 MiB and 64 levels. Anchors, aliases and merge keys are
// understood as long as the whole has at most 100,000 values once they are
// expanded. Custom tags, more than one document, and keys that are not plain
// text are refused. yes, no, on and off are text, as in YAML 1.2.
//
// # Reading the source
//
// A file becomes a tree of nodes that know their place (yaml.go, json.go,
// tree.go). decode.go lays the tree over the Go types and notes every fault;
// validate.go judges the values, by JSON pointer; load.go joins the two and
// finds the place of each pointer in the tree.
package config
