// Package cli stands for somebody else's module.
package cli
