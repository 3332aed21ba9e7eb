// Package sqlite stands for somebody else's module.
package sqlite
