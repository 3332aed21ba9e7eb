// Package pgx stands for somebody else's module.
package pgx
