//go:build planted

package hidden // want "./internal/hidden stands in no room"
