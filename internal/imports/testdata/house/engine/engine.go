package engine

import (
	_ "example.test/house/store"
	_ "github.com/jackc/pgx/v5"                 // want "swapping the store must touch nothing else (PostgreSQL)"
	_ "go.opentelemetry.io/otel/exporters/otlp" // want "where traces go is the choice of the binary"
	_ "testing"                                 // want "test machinery stays in tests"
)
