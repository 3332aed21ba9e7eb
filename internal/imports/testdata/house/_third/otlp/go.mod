module go.opentelemetry.io/otel/exporters/otlp

go 1.26.0
