// Package otlp stands for somebody else's module.
package otlp
