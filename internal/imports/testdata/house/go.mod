module example.test/house

go 1.26.0

require (
	github.com/jackc/pgx/v5 v5.0.0
	github.com/tidwall/gjson v1.0.0
	github.com/urfave/cli/v3 v3.0.0
	go.opentelemetry.io/otel/exporters/otlp v0.0.0
	modernc.org/sqlite v0.0.0
)

replace (
	github.com/jackc/pgx/v5 => ./_third/pgx
	github.com/tidwall/gjson => ./_third/gjson
	github.com/urfave/cli/v3 => ./_third/cli
	go.opentelemetry.io/otel/exporters/otlp => ./_third/otlp
	modernc.org/sqlite => ./_third/sqlite
)
