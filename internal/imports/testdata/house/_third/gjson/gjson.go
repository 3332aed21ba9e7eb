// Package gjson stands for somebody else's module.
package gjson
